"""A model's own packages in the init container: fetched by their digest, unpacked read-only, or refused."""

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from modelport_environments import packing

MODEL = b"model" * 100
GIB = 1 << 30


def run(folder: Path, archive: bytes, **changed: str) -> subprocess.CompletedProcess[str]:
    """Run the init container of a model with this bundle. `changed`: more settings."""
    (folder / "source").write_bytes(MODEL)
    (folder / "bundle").write_bytes(archive)
    facts = {
        "MODELPORT_FETCH_URI": (folder / "source").as_uri(),
        "MODELPORT_FETCH_SHA256": hashlib.sha256(MODEL).hexdigest(),
        "MODELPORT_FETCH_TO": str(folder / "model"),
        "MODELPORT_FETCH_BUNDLE_URI": (folder / "bundle").as_uri(),
        "MODELPORT_FETCH_BUNDLE_SHA256": hashlib.sha256(archive).hexdigest(),
        "MODELPORT_FETCH_BUNDLE_MAX_BYTES": str(GIB),
        "MODELPORT_RUNTIME_PACKAGES": str(folder / "packages"),
        **changed,
    }
    command = [sys.executable, "-I", "-m", "modelport_runtime.fetch"]
    return subprocess.run(
        command, env={**os.environ, **facts}, capture_output=True, text=True, check=False, timeout=60
    )


def packed(folder: Path, files: Mapping[str, str]) -> bytes:
    for name, text in files.items():
        path = folder / "made" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return b"".join(packing.pieces(folder / "made"))


def by_hand(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def test_it_is_unpacked_read_only_beside_the_model_also_after_a_try_that_was_ended(tmp_path: Path) -> None:
    name = "deep/" * 30 + "module.py"
    archive = packed(tmp_path, {"a.py": "A = 1\n", name: "B = 2\n", "empty.py": ""})
    (tmp_path / "packages" / "half").mkdir(parents=True)
    done = run(tmp_path, archive)
    assert (done.returncode, done.stderr) == (0, "")
    found = sorted(path for path in (tmp_path / "packages").rglob("*") if path.is_file())
    relative = [path.relative_to(tmp_path / "packages").as_posix() for path in found]
    assert relative == sorted(["a.py", name, "empty.py"])
    assert all(path.stat().st_mode & 0o777 == 0o444 for path in found)
    assert (tmp_path / "packages" / name).read_text() == "B = 2\n"
    assert not (tmp_path / "packages.partial").exists()
    assert (tmp_path / "model").read_bytes() == MODEL


def _link(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return info


HOSTILE: Mapping[str, Iterable[tuple[tarfile.TarInfo, bytes]]] = {
    "above": [(tarfile.TarInfo("../above.py"), b"1")],
    "absolute": [(tarfile.TarInfo("/tmp/modelport-above.py"), b"1")],
    "link": [(_link("passwd"), b"")],
    "twice": [(tarfile.TarInfo("a.py"), b"1"), (tarfile.TarInfo("a.py"), b"2")],
    "file-and-folder": [(tarfile.TarInfo("a"), b"1"), (tarfile.TarInfo("a/b.py"), b"2")],
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_bundle_of_ours_is_refused_for_good(tmp_path: Path, kind: str) -> None:
    done = run(tmp_path, by_hand(*HOSTILE[kind]))
    assert done.returncode == 1
    told = json.loads(done.stderr.splitlines()[-1])
    assert told["reason"] == "DigestMismatch"
    assert told["message"].startswith("The bundle ")
    assert not (tmp_path / "above.py").exists()


def test_one_that_is_cut_short_another_or_too_large_is_refused(tmp_path: Path) -> None:
    archive = packed(tmp_path, {"a.py": "A = 1\n" * 1000})
    for content, changed, reason in (
        (archive[:1000], {}, "DigestMismatch"),
        (archive, {"MODELPORT_FETCH_BUNDLE_SHA256": "0" * 64}, "DigestMismatch"),
        (archive, {"MODELPORT_FETCH_BUNDLE_MAX_BYTES": "1000"}, "TooLarge"),
    ):
        done = run(tmp_path, content, **changed)
        assert (done.returncode, json.loads(done.stderr.splitlines()[-1])["reason"]) == (1, reason)
        assert not (tmp_path / "packages.partial").exists()


def test_a_store_that_is_away_is_tried_again(tmp_path: Path) -> None:
    done = run(tmp_path, b"", MODELPORT_FETCH_BUNDLE_URI="http://127.0.0.1:9/bundle")
    assert done.returncode == 2
    assert "cannot be reached" in done.stderr
