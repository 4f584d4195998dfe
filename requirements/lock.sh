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
# What a distribution of ours needs, without our own distributions, which are installed from this repository.
needs() { "$(dirname "$uv")/python" requirements/distribution.py "$@"; }
needs modelport-standalone | lock "$@" requirements/build.in - -o requirements/standalone.txt
needs modelport-standalone | lock "$@" requirements/build.in - --group dev -c requirements/standalone.txt -o requirements/dev.txt
# What an image's stage needs to build the site of /help, and nothing else.
lock "$@" --group docs -c requirements/dev.txt -o requirements/docs.txt
# And what builds the wheel of the client, which the control API's image serves.
lock "$@" requirements/build.in -c requirements/dev.txt -o requirements/wheel.txt
echo "uv" | lock "$@" - -c requirements/dev.txt -o requirements/uv.txt
image() { needs "$2" | lock - -c requirements/standalone.txt -o "requirements/image-$1.txt"; }
for part in control-api gateway operator standalone; do image "$part" "modelport-$part"; done
# Members of an ensemble share a process: all frameworks are in one of the images.
image runtime-sklearn "modelport-runtime[sklearn,onnx]"
image runtime-onnx "modelport-runtime[onnx]"
# The server process beside an environment, which has the framework.
image runtime-server modelport-runtime
