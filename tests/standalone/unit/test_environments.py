"""Environments on one machine: made once, by one process, whole or not at all."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from modelport_environments.catalogue import Environment, find
from modelport_environments.errors import EnvironmentUnavailable
from modelport_standalone.environments import images as images_module
from modelport_standalone.environments import images as module_of_images
from modelport_standalone.environments import making, store
from modelport_standalone.environments.command import environments
from modelport_standalone.environments.images import ENVIRONMENT_IMAGES, Images
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.support.waiting import until

OLD = find("sklearn-1.2")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was made so far, by a stand-in that needs no index."""
    names: list[str] = []

    def make(environment: Environment, folder: Path) -> None:
        names.append(environment.name)
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").write_text("")

    monkeypatch.setattr(store, "make", make)
    return names


def test_it_is_made_once_and_found_again(tmp_path: Path, made: list[str]) -> None:
    kept = EnvironmentStore(tmp_path)
    assert kept.python_of(OLD) is None
    with ThreadPoolExecutor(4) as pool:
        pythons = set(pool.map(lambda _: EnvironmentStore(tmp_path).prepare(OLD), range(4)))
    assert pythons == {kept.python_of(OLD)}
    assert made == [OLD.name]


def test_a_try_that_failed_leaves_nothing_that_looks_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(environment: Environment, folder: Path) -> None:
        folder.mkdir()
        raise EnvironmentUnavailable("no index")

    monkeypatch.setattr(store, "make", make)
    kept = EnvironmentStore(tmp_path)
    with pytest.raises(EnvironmentUnavailable):
        kept.prepare(OLD)
    assert (kept.python_of(OLD), kept.kept()) == (None, [])
    assert not list(tmp_path.glob(".*.partial"))


def test_nothing_can_be_added_to_it_until_it_is_removed(tmp_path: Path, made: list[str]) -> None:
    kept = EnvironmentStore(tmp_path)
    python = kept.prepare(OLD)
    assert made == [OLD.name]
    assert python.parent.stat().st_mode & 0o222 == 0
    [environment] = kept.kept()
    kept.remove(environment)
    assert (kept.python_of(OLD), kept.kept()) == (None, [])


def test_another_release_of_ours_makes_another(
    tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = EnvironmentStore(tmp_path)
    before = kept.prepare(OLD)
    monkeypatch.setattr(store, "_own_digest", lambda: "another")
    assert kept.prepare(OLD) != before
    assert [each.current for each in kept.kept()].count(True) == 1
    assert made == [OLD.name, OLD.name]


def test_what_uv_says_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    with pytest.raises(EnvironmentUnavailable, match=r"sklearn-1\.2 cannot be made here: .*"):
        making.make(OLD, tmp_path / "environment")


def test_uv_learns_no_secret_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen, program = tmp_path / "seen", tmp_path / "uv"
    program.write_text(f"#!/bin/sh\nenv > {seen}\necho enough >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("MODELPORT_CONTROL_API_INTERNAL_KEY", "hush-4711")
    monkeypatch.setattr(making, "find_uv", lambda: str(program))
    with pytest.raises(EnvironmentUnavailable, match="enough"):
        making.make(OLD, tmp_path / "environment")
    assert "PATH" in seen.read_text()
    assert "hush-4711" not in seen.read_text()


def test_modules_of_the_users_folder_are_not_the_platforms(tmp_path: Path) -> None:
    """In a folder with a click.py what makes environments, and the batch worker, ran that and ended."""
    (tmp_path / "click.py").write_text("raise SystemExit('mine')\n")
    found = subprocess.run(
        images_module._command("list"), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr


async def test_an_environments_image_adds_its_python_for_the_model(tmp_path: Path, made: list[str]) -> None:
    kept = EnvironmentStore(tmp_path)
    images = Images(kept)
    assert images.variables_of("modelport-runtime-sklearn") == {}
    wanted = f"{ENVIRONMENT_IMAGES}{OLD.name}"
    assert images.variables_of(wanted) is None
    kept.prepare(OLD)
    assert images.variables_of(wanted) == {"MODELPORT_RUNTIME_MODEL_PYTHON": str(kept.python_of(OLD))}
    with pytest.raises(EnvironmentUnavailable, match="'none' is not an environment"):
        await images.pull(f"{ENVIRONMENT_IMAGES}none")


async def test_why_it_cannot_be_pulled_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(EnvironmentUnavailable, match=r"Not a directory.*file"):
        await Images().pull(f"{ENVIRONMENT_IMAGES}{OLD.name}")


async def test_whoever_stops_waiting_ends_what_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "begun"
    program = f"import os, time; open({str(begun)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    monkeypatch.setattr(module_of_images, "_command", lambda *_: [sys.executable, "-c", program])
    pulling = asyncio.create_task(Images().pull(f"{ENVIRONMENT_IMAGES}{OLD.name}"))
    await until(lambda: begun.exists() and begun.read_text())
    pulling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pulling
    maker = Path("/proc", begun.read_text())
    await until(lambda: not maker.exists())


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Types `modelport environments …`; gives the exit code and what was printed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = environments(arguments)
        return (code, *capfd.readouterr())

    return run


def test_the_command_prepares_lists_and_prunes(
    typed: Callable[..., tuple[int, str, str]], made: list[str]
) -> None:
    assert typed("prepare", OLD.name)[0] == 0
    listed = typed("list")[1].splitlines()
    assert [line.split()[0] for line in listed if not line.endswith("-")] == [OLD.name]
    assert typed("prune")[1] == "Nothing to remove.\n"
    assert default_folder().exists()
    assert typed("prune", "--all")[1].startswith("Removed sklearn-1.2-")
    assert not list(default_folder().glob("sklearn*"))


def test_a_name_that_is_none_is_refused_before_anything_is_made(
    typed: Callable[..., tuple[int, str, str]], made: list[str]
) -> None:
    code, _, error = typed("prepare", OLD.name, "sklearn-9")
    assert (code, made) == (1, [])
    assert error.startswith("Error: 'sklearn-9' is not an environment: there are sklearn-1.1, ")
