#!/usr/bin/env bash
# What `make check` runs, and `make test` before all tests.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
$bin/ruff format --check -q .
$bin/ruff check -q .
$bin/mypy
$bin/lint-imports
