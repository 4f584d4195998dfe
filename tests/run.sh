#!/usr/bin/env bash
# What `make test` runs: the quick checks, then every test with coverage, then the end-to-end tests on a real
# Kubernetes cluster where one can be had. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
# Where it is set, each worker rewrites the assertions of each test module again, and each server that a test starts
# compiles all that it imports.
unset PYTHONDONTWRITEBYTECODE
echo "==> Style, types and import contracts"
bash tests/check.sh
if [ $# -gt 0 ]; then
  echo "==> Tests"
  exec $bin/python -m pytest "$@"
fi

echo "==> What the end-to-end tests need (built once; 12 minutes on two cores)"
# Before all tests: a compiler beside them would slow down those that watch the clock.
code=0
$bin/python -m tests.cluster prepare || code=$?
# 3: no cluster can be had here, and it has said why. The end-to-end tests are skipped then, or fail in CI.
[ $code -eq 0 ] || [ $code -eq 3 ] || exit $code

echo "==> Tests"
rm -f .coverage .coverage.*
# By file, because a file's tests share a server that takes seconds to start; in the order of the folders, because
# what takes long (contract, integration) should begin before what is short (unit).
$bin/python -m pytest -n "${MODELPORT_TEST_WORKERS:-auto}" --dist loadfile --no-loadscope-reorder -m "not e2e" \
  --cov --cov-report=term:skip-covered --cov-fail-under=90

echo "==> End-to-end tests on Kubernetes"
# A cluster that ran before stays; one that these tests start goes with them.
$bin/python -m tests.cluster status >/dev/null || trap '$bin/python -m tests.cluster down' EXIT
# One at a time, and after the others: they measure gaps in seconds, on cores that they share with the cluster.
$bin/python -m pytest -m e2e tests/e2e
