#!/usr/bin/env bash
# Writes the locked requirements, with hashes and without any registry's name. Usage: lock.sh UV [--upgrade]
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$1
shift
lock() {
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
    --no-annotate --custom-compile-command "make lock" "$@"
}
lock "$@" requirements/build.in pyproject.toml --extra standalone -o requirements/standalone.txt
lock "$@" requirements/build.in pyproject.toml --extra dev -c requirements/standalone.txt -o requirements/dev.txt
# What an image's stage needs to build the site of /help, and nothing else.
"$(dirname "$uv")/python" requirements/extra.py docs | lock "$@" - -c requirements/dev.txt -o requirements/docs.txt
echo "uv" | lock "$@" - -c requirements/dev.txt -o requirements/uv.txt
# An image gets one extra and not the SDK's own requirements, which `uv pip compile --extra` would add.
for extra in control-api gateway operator runtime-sklearn runtime-onnx; do
  "$(dirname "$uv")/python" requirements/extra.py "$extra" | lock - -c requirements/standalone.txt -o "requirements/image-$extra.txt"
done
