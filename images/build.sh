#!/usr/bin/env bash
# Builds the images. Usage: build.sh [PART…]; all of them unless some are named.
# From the environment:
#   TAG          the project's version unless given
#   REGISTRY     put before each name, for example registry.example.org/team/
#   BASE_IMAGE   python:3.13-slim unless given; a digest works
#   BUILDER      docker or buildah; whichever works here unless given
#   BUILD_FLAGS  more flags for it, for example --build-arg PIP_INDEX_URL=…
set -euo pipefail
cd "$(dirname "$0")/.."
parts=("$@")
[ $# -gt 0 ] || parts=(control-api gateway operator runtime-sklearn runtime-onnx standalone)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' client/pyproject.toml)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)

find_builder() {
  # A docker client without its daemon builds nothing.
  if docker info >/dev/null 2>&1; then echo docker
  elif command -v buildah >/dev/null; then echo buildah
  else echo "Neither a Docker daemon nor buildah is here: start Docker, or install buildah." >&2; exit 1
  fi
}

dockerfile() {
  case $1 in
    control-api | gateway | operator | standalone) echo "$1/Dockerfile" ;;
    runtime-sklearn | runtime-onnx) echo "model-runtime/Dockerfile.${1#runtime-}" ;;
    *) echo "There is no part named $1." >&2; exit 1 ;;
  esac
}

builder=${BUILDER:-$(find_builder)}
case $builder in
  docker) build=(docker build) ;;
  buildah) build=(buildah bud --layers) ;;
  *) echo "BUILDER=$builder: docker or buildah." >&2; exit 1 ;;
esac
for part in "${parts[@]}"; do
  file=$(dockerfile "$part")
  image=${REGISTRY:-}modelport-$part:${TAG:-$version}
  echo "==> $image"
  # BUILD_FLAGS is several words.
  # shellcheck disable=SC2086
  "${build[@]}" --quiet ${BASE_IMAGE:+--build-arg "BASE_IMAGE=$BASE_IMAGE"} \
    --label "org.opencontainers.image.version=$version" --label "org.opencontainers.image.revision=$revision" ${BUILD_FLAGS:-} --tag "$image" --file "$file" .
done
