"""The environment of a model's own requirements: made once of its lock, and no code of it runs."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from modelport_environments.catalogue import BESIDE_OWN, Environment
from modelport_environments.errors import EnvironmentUnavailable, InvalidLock
from modelport_environments.locked import digest_of, own_name
from modelport_standalone.environments import making, store
from modelport_standalone.environments.command import environments
from modelport_standalone.environments.images import ENVIRONMENT_IMAGES, Images
from modelport_standalone.environments.store import EnvironmentStore

from tests.support.waiting import eventually
from tests.support.wheels import index_of, lock_of, make_wheel

MONTH = 31 * 86_400


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "was_here"


@pytest.fixture
def lock(tmp_path: Path, marker: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of one package, which would run at each start of a Python that saw it. uv finds it in a folder."""
    writes = f"import pathlib; pathlib.Path({str(marker)!r}).write_text('ran')\n"
    files = {"its_own.py": writes, "at_start.pth": writes, "sitecustomize.py": writes, "tests/own.py": "1\n"}
    index = tmp_path / "index"
    wheel = make_wheel(index, "its-own", "1.0", files=files)
    for name, value in index_of(index).items():
        monkeypatch.setenv(name, value)
    return lock_of(wheel)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EnvironmentStore:
    """With a stand-in for what the runtime brings along: this Python."""

    def make(environment: Environment, folder: Path) -> None:
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").symlink_to(sys.executable)

    monkeypatch.setattr(store, "make", make)
    return EnvironmentStore(tmp_path / "environments")


def test_its_packages_are_installed_and_compiled_and_none_of_them_runs(
    kept: EnvironmentStore, lock: str, marker: Path
) -> None:
    assert kept.packages_of(digest_of(lock)) is None
    packages = kept.prepare_own(lock)
    assert kept.packages_of(digest_of(lock)) == packages == kept.prepare_own(lock)
    assert (packages / "its_own-1.0.dist-info").is_dir()
    (compiled,) = (packages / "__pycache__").glob("its_own.*.pyc")
    # Traces name the place that it lies at in the end.
    assert str(packages / "its_own.py").encode() in compiled.read_bytes()
    assert not list((packages / "tests").glob("__pycache__"))
    assert not marker.exists()


def test_a_wheel_that_is_another_than_the_locked_one_is_not_installed(
    kept: EnvironmentStore, lock: str
) -> None:
    digest = lock.rpartition(":")[2].strip()
    with pytest.raises(EnvironmentUnavailable, match=r"own-\w{12} cannot be made here: .*its-own"):
        kept.prepare_own(lock.replace(digest, "0" * 64))
    assert [each.name for each in kept.kept()] == [BESIDE_OWN.name]


@pytest.mark.parametrize("line", ["-e .", "its-own @ file:///etc", "its-own==1.0"])
def test_a_lock_with_anything_else_installs_nothing(kept: EnvironmentStore, lock: str, line: str) -> None:
    with pytest.raises(InvalidLock):
        kept.prepare_own(lock + line)


def test_a_disk_that_is_almost_full_is_said(
    kept: EnvironmentStore, lock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "_LEAST_FREE_BYTES", 1 << 60)
    with pytest.raises(EnvironmentUnavailable, match=r"less than \d+ GiB free"):
        kept.prepare_own(lock)


def test_packages_that_are_too_large_are_not_installed(kept: EnvironmentStore, lock: str) -> None:
    small = EnvironmentStore(kept.folder, max_own_bytes=100)
    with pytest.raises(EnvironmentUnavailable, match=r"more than 0\.00 GiB, the most for one version"):
        small.prepare_own(lock)
    assert kept.packages_of(digest_of(lock)) is None
    assert not list(kept.folder.glob(".*.partial"))


def test_who_is_killed_leaves_nothing_half_made(kept: EnvironmentStore, lock: str, tmp_path: Path) -> None:
    """The installer outlives the one that was killed, and holds its place until it ends."""
    kept.prepare(BESIDE_OWN)
    program, started, go = tmp_path / "uv", tmp_path / "started", tmp_path / "go"
    os.mkfifo(go)
    target = kept.folder / f".own-{digest_of(lock)[:12]}-{digest_of(lock)[12:24]}.partial"
    program.write_text(f"#!/bin/sh\nmkdir -p {target}/half\ntouch {started}\ncat {go} >/dev/null\nexit 1\n")
    program.chmod(0o755)
    script = tmp_path / "prepare.py"
    script.write_text(
        "import sys, pathlib\n"
        "from modelport_environments import installing\n"
        "from modelport_standalone.environments.store import EnvironmentStore\n"
        f"installing.find_uv = lambda: {str(program)!r}\n"
        f"EnvironmentStore(pathlib.Path({str(kept.folder)!r})).prepare_own({lock!r})\n"
    )
    killed = subprocess.Popen([sys.executable, str(script)])
    # The stand-in of the runtime's environment is this test's: its digest is the same there.
    eventually(started.exists)
    killed.kill()
    killed.wait()
    assert kept.remove_partial() == []
    assert (target / "half").exists()
    assert kept.packages_of(digest_of(lock)) is None
    with go.open("w"):
        # The installer ends, and with it its lock.
        pass
    assert eventually(kept.remove_partial) == [own_name(digest_of(lock))]
    assert not target.exists()
    assert (kept.prepare_own(lock) / "its_own.py").exists()
    assert not list(kept.folder.glob(".*.partial"))


def test_one_that_no_model_began_with_for_a_month_is_pruned(
    kept: EnvironmentStore, lock: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    packages = kept.prepare_own(lock)
    monkeypatch.setattr("modelport_standalone.environments.command._store", lambda: kept)
    name = own_name(digest_of(lock))
    assert environments(["list"]) == 0
    assert name in capfd.readouterr().out
    assert environments(["prune"]) == 0
    assert packages.exists()
    os.utime(packages, (0, time.time() - MONTH))
    # A model that begins with it makes it young.
    kept.packages_of(digest_of(lock))
    environments(["prune"])
    assert packages.exists()
    os.utime(packages, (0, time.time() - MONTH))
    environments(["prune"])
    assert not packages.exists()


async def test_its_image_names_its_lock_which_is_a_file_of_the_platform(
    kept: EnvironmentStore, lock: str, tmp_path: Path
) -> None:
    digest = digest_of(lock)
    stored = tmp_path / "artifacts" / "sha256" / digest[:2] / digest
    images = Images(kept, tmp_path / "artifacts")
    image = f"{ENVIRONMENT_IMAGES}{own_name(digest)}@sha256:{digest}"
    assert images.variables_of(image) is None
    with pytest.raises(EnvironmentUnavailable, match="No such file"):
        await images.pull(image)
    with pytest.raises(EnvironmentUnavailable, match="not on this machine"):
        await Images(kept).pull(image)
    stored.parent.mkdir(parents=True)
    stored.write_text(lock)
    packages = kept.prepare_own(lock)
    assert images.variables_of(image) == {
        "MODELPORT_RUNTIME_MODEL_PYTHON": str(kept.python_of(BESIDE_OWN)),
        "MODELPORT_RUNTIME_PACKAGES": str(packages),
    }
