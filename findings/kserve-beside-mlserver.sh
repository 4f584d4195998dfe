#!/usr/bin/env bash
# kserve 0.21.0 and mlserver 1.7.1, two servers of the same protocol, cannot be imported into one process, in either
# order: both register the protobuf message inference.ServerLiveRequest of the Open Inference Protocol, from files of
# their own. A test or a proxy that speaks to both needs two processes.
# Seen: TypeError: Couldn't build proto file into descriptor pool: duplicate symbol 'inference.ServerLiveRequest'
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check --no-deps kserve==0.21.0 mlserver==1.7.1
"$folder/env/bin/pip" install --quiet --disable-pip-version-check protobuf==6.33.5 googleapis-common-protos==1.72.0
cat >"$folder/both.py" <<'PYTHON'
import importlib.util
import sys
import sysconfig
from pathlib import Path

packages = Path(sysconfig.get_path("purelib"))


def generated(name: str) -> None:
    """Run a module that protoc made, without the server around it."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, packages / name)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


first, second = sys.argv[1:]
generated(first)
try:
    generated(second)
except TypeError as error:
    print(f"TypeError: {error}")
    assert "duplicate symbol 'inference." in str(error)
else:
    raise SystemExit("both can be imported now")
PYTHON
kserve=kserve/protocol/grpc/grpc_predict_v2_pb2.py
mlserver=mlserver/grpc/dataplane_pb2.py
"$folder/env/bin/python" "$folder/both.py" $kserve $mlserver
"$folder/env/bin/python" "$folder/both.py" $mlserver $kserve
