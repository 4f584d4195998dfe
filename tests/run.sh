#!/usr/bin/env bash
# What `make test` runs: the quick checks, then every test with coverage, and beside those the end-to-end tests on a
# real Kubernetes cluster where one can be had. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
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
code=0

mkdir -p build
log=build/e2e.log
echo "==> End-to-end tests on Kubernetes, beside all others ($log)"
# A cluster that ran before stays; one that these tests start goes with them.
$bin/python -m tests.cluster status >/dev/null || down="$bin/python -m tests.cluster down"
# One at a time: they measure gaps in seconds. A job of its own group, so that Ctrl-C means the same in it and both
# end together.
set -m
$bin/python -m pytest -m e2e tests/e2e >"$log" 2>&1 &
e2e=$!
set +m
trap 'kill -INT -- -$e2e 2>/dev/null && wait $e2e; ${down:-true}' EXIT

echo "==> Tests"
rm -f .coverage .coverage.*
# By file, because a file's tests share a server that takes seconds to start; in the order of the folders, because
# what takes long (contract, integration) should begin before what is short (unit).
$bin/python -m pytest -n "${MODELPORT_TEST_WORKERS:-auto}" --dist loadfile --no-loadscope-reorder \
  -m "not e2e" --cov --cov-report=term:skip-covered --cov-fail-under=90 || code=$?

echo "==> End-to-end tests on Kubernetes"
tail -n +1 -f --pid=$e2e "$log"
wait $e2e || exit $?
exit $code
