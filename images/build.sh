#!/usr/bin/env bash
# Builds the images. Usage: build.sh [PART…]; all parts unless some are named.
# Those of environments are built where they are named: runtime-sklearn-1.2 is one, `environments` means all. So is
# runtime-own, of versions with requirements of their own.
# From the environment:
#   TAG          the project's version unless given
#   REGISTRY     put before each name, for example registry.example.org/team/
#   BASE_IMAGE   python:3.13-slim unless given, of environments and runtime-own python:3.11-slim; a digest works
#   BUILDER      docker or buildah; whichever works here unless given
#   BUILD_FLAGS  more flags for it, for example --build-arg PIP_INDEX_URL=…
set -euo pipefail
cd "$(dirname "$0")/.."
locks=libs/modelport_environments/locks
[ $# -gt 0 ] || set -- control-api gateway operator runtime-sklearn runtime-onnx standalone
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
    runtime-sklearn | runtime-onnx | runtime-own) echo "model-runtime/Dockerfile.${1#runtime-}" ;;
    *)
      [ -n "$(environment_of "$1")" ] || { echo "There is no part named $1." >&2; exit 1; }
      echo model-runtime/Dockerfile.environment
      ;;
  esac
}

# What a model's own packages lie beside has a lock; its image is runtime-own.
is_environment() {
  [ "$1" != beside-own ] && [ -f "$locks/$1.txt" ]
}

# Prints the name of the environment whose image the part is; nothing for other parts.
environment_of() {
  local name=${1#runtime-}
  if [ "$1" != "$name" ] && is_environment "$name"; then echo "$name"; fi
}

each_of() {
  for part in "$@"; do
    if [ "$part" = environments ]; then
      for name in $(basename -s .txt "$locks"/*.txt); do
        if is_environment "$name"; then echo "runtime-$name"; fi
      done
    else
      echo "$part"
    fi
  done
}

builder=${BUILDER:-$(find_builder)}
case $builder in
  docker) build=(docker build) ;;
  buildah) build=(buildah bud --layers) ;;
  *) echo "BUILDER=$builder: docker or buildah." >&2; exit 1 ;;
esac
for part in $(each_of "$@"); do
  file=$(dockerfile "$part")
  environment=$(environment_of "$part")
  image=${REGISTRY:-}modelport-$part:${TAG:-$version}
  echo "==> $image"
  # BUILD_FLAGS is several words.
  # shellcheck disable=SC2086
  "${build[@]}" --quiet ${BASE_IMAGE:+--build-arg "BASE_IMAGE=$BASE_IMAGE"} \
    ${environment:+--build-arg "ENVIRONMENT=$environment"} --label "org.opencontainers.image.version=$version" \
    --label "org.opencontainers.image.revision=$revision" ${BUILD_FLAGS:-} --tag "$image" --file "$file" .
done
