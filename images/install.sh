#!/bin/sh
# Used by the Dockerfiles, in their build stages. Leaves folders that the last stage copies, so that a new
# release of our code is a small layer over the same libraries.
#   install.sh libraries NAME [FOLDER]   FOLDER (/opt/modelport): a virtual environment with /build/image-NAME.txt, and no pip
#   install.sh mkdocs           mkdocs, in an environment of its own that no image has
#   install.sh site             /opt/modelport-help: the pages of /help, from /build/site
#   install.sh hatchling        what builds wheels, in an environment of its own that no image has
#   install.sh wheel            /opt/modelport-sdk: the client's wheel, from /build/client
#   install.sh code             /opt/modelport-code: what lies in /build/code, importable from that environment
set -eu
environment=/opt/modelport
code=/opt/modelport-code

compile() {
  # By hash, unchecked: builders that rewrite files' times for reproducible images would make others stale, and
  # no process could write new ones, the root file system being read-only.
  "$environment/bin/python" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$@"
}

libraries() {
  environment=${2:-$environment}
  python3 -m venv /build/pip
  python3 -m venv --without-pip "$environment"
  # Binary packages only: there is no compiler here, and none is wanted in what we ship. Nothing but the lock's,
  # which has all that is needed, and may leave out what a library requires and no model.
  /build/pip/bin/python -m pip --python "$environment/bin/python" install --quiet --no-cache-dir --no-compile \
    --disable-pip-version-check --only-binary :all: --no-deps --require-hashes -r "/build/image-$1.txt"
  packages=$(echo "$environment"/lib/python3.*/site-packages)
  # Tests, type stubs, headers and sources for compilers: a third of scikit-learn and its libraries.
  find "$packages" -depth \( -type d \( -name tests -o -name include \) -o -type f \
    \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' -o -name '*.c' -o -name '*.cpp' -o -name '*.a' \) \) \
    -exec rm -r {} +
  # PyTorch is linked against NVIDIA's libraries. Of these, what is opened only where there is a GPU: a quarter.
  if [ -d "$packages/nvidia" ]; then
    find "$packages/nvidia" -type f \( -name 'libcudnn_*' -o -name 'libnvperf_*' -o -name '*.bc' \) \
      ! -name 'libcudnn_graph.*' -exec rm {} +
  fi
  python3 /build/strip_debug.py "$packages"
  echo "$code" > "$packages/modelport.pth"
  # PyTorch has a module in the syntax of Python 3.12: what is not for this one, nothing here imports.
  compile "$packages" || echo "What did not compile is left as it is."
}

# tool NAME LOCK: a virtual environment of its own with what the lock lists.
tool() {
  python3 -m venv "/build/$1"
  "/build/$1/bin/python" -m pip install --quiet --no-cache-dir --disable-pip-version-check --only-binary :all: \
    --require-hashes -r "/build/$2"
}

mkdocs() {
  tool mkdocs docs.txt
}

hatchling() {
  tool hatchling wheel.txt
}

wheel() {
  cd /build/client
  /build/hatchling/bin/python -m hatchling build --target wheel --directory /opt/modelport-sdk
}

site() {
  cd /build/site
  /build/mkdocs/bin/mkdocs build --strict --quiet --site-dir /opt/modelport-help
}

code() {
  mv /build/code "$code"
  # The name and version that importlib.metadata gives: what a wheel would have brought.
  name=$(sed -n 's/^name = "\(.*\)"$/\1/p' /build/pyproject.toml)
  version=$(sed -n 's/^version = "\(.*\)"$/\1/p' /build/pyproject.toml)
  metadata=$code/$(echo "$name" | tr - _)-$version.dist-info
  mkdir "$metadata"
  printf 'Metadata-Version: 2.1\nName: %s\nVersion: %s\n' "$name" "$version" > "$metadata/METADATA"
  compile "$code"
}

"$@"
