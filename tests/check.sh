#!/usr/bin/env bash
# What `make check` runs, and `make test` before all tests.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
# What mypy found out lies with the checkout. A fresh clone begins with a copy of the last one's: it goes by the files'
# contents, and has a minute's work less.
kept=${XDG_CACHE_HOME:-$HOME/.cache}/modelport/mypy

keep_for_the_next_clone() {
  local scratch
  mkdir -p "$(dirname "$kept")"
  scratch=$(mktemp -d "$kept.XXXXXX")
  # All or nothing: another checkout may copy it meanwhile, or keep its own.
  cp -a .mypy_cache "$scratch/" && rm -rf "$kept" && mv -T "$scratch/.mypy_cache" "$kept" || true
  rm -rf "$scratch"
}

$bin/ruff format --check -q .
$bin/ruff check -q .
[ -d .mypy_cache ] || [ ! -d "$kept" ] || cp -a "$kept" .mypy_cache || rm -rf .mypy_cache
$bin/mypy
keep_for_the_next_clone
$bin/lint-imports
