"""The image of each pod's first process: one static program, packed here as `docker save` would."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from platform import machine
from typing import Any

from tests.cluster.host.plan import PAUSE_IMAGE


def archive(program: Path, target: Path) -> Path:
    layer = _tar({"pause": program.read_bytes()}, mode=0o755)
    config = _json(_config(_digest(layer)))
    manifest = [{"Config": f"{_digest(config)}.json", "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}]
    files = {f"{_digest(config)}.json": config, "layer.tar": layer, "manifest.json": _json(manifest)}
    target.write_bytes(_tar(files, mode=0o644))
    return target


def _config(layer_digest: str) -> dict[str, Any]:
    return {
        "architecture": _architecture(),
        "os": "linux",
        "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
        "history": [{"created_by": "modelport tests"}],
    }


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine(), machine())


def _tar(files: dict[str, bytes], mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
