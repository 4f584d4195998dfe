#!/usr/bin/env bash
# What `make test` runs: the quick checks first, then every test with coverage. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
echo "==> Style, types and import contracts"
$bin/ruff format --check -q .
$bin/ruff check -q .
$bin/mypy
$bin/lint-imports
echo "==> Tests"
if [ $# -gt 0 ]; then
  exec $bin/python -m pytest "$@"
fi
rm -f .coverage .coverage.*
# By file, because a file's tests share a server that takes seconds to start; in the order of the folders, because
# what takes long (contract, integration) should begin before what is short (unit).
$bin/python -m pytest -n "${MODELPORT_TEST_WORKERS:-auto}" --dist loadfile --no-loadscope-reorder \
  --cov --cov-report=term:skip-covered --cov-fail-under=90
