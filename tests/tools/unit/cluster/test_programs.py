"""Programs are built once, and again only when their sources or flags change."""

import dataclasses
import os
import subprocess
from pathlib import Path

import pytest

from tests.cluster import image_build, programs
from tests.cluster.progress import StepFailed

PROGRAM = programs.Program("tool", "1.0", "no time", links=("alias",))
FAKE_GO = """#!/bin/sh
while [ "$1" != "-o" ]; do shift; done
echo '#!/bin/sh' > "$2"
echo x >> "$BUILDS"
exit ${GO_FAILS:-0}
"""


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One line for each run of a `go` that builds at once."""
    go = tmp_path / "bin" / "go"
    (tmp_path / "modules" / "tool").mkdir(parents=True)
    (tmp_path / "modules" / "tool" / "main.go").write_text("package main")
    go.parent.mkdir()
    go.write_text(FAKE_GO)
    go.chmod(0o755)
    monkeypatch.setattr(programs, "_MODULES", tmp_path / "modules")
    monkeypatch.setenv("PATH", f"{go.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("BUILDS", str(tmp_path / "builds"))
    return tmp_path / "builds"


def test_the_second_time_it_is_there(builds: Path) -> None:
    assert programs.ensure(PROGRAM) == programs.ensure(PROGRAM)
    assert len(builds.read_text().splitlines()) == 1
    assert PROGRAM.path.with_name("alias").resolve() == PROGRAM.path


def test_new_sources_or_flags_are_another_program(builds: Path, tmp_path: Path) -> None:
    before = programs.ensure(PROGRAM)
    (tmp_path / "modules" / "tool" / "main.go").write_text("package main // changed")
    assert PROGRAM.path != before
    assert dataclasses.replace(PROGRAM, ldflags="").path != PROGRAM.path


def test_a_build_that_failed_is_not_taken_for_a_program(
    builds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GO_FAILS", "1")
    with pytest.raises(StepFailed, match="Building tool"):
        programs.ensure(PROGRAM)
    assert not PROGRAM.path.exists()


def test_the_pinned_modules_have_checksums() -> None:
    for module in ("kube", "coredns"):
        folder = Path(programs.__file__).parent / "binaries" / module
        assert (folder / "go.sum").read_text().count("h1:") > 100
        assert "://" not in (folder / "go.mod").read_text()


def test_a_build_may_read_the_hosts_pip_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authorities = tmp_path / "ca.crt"
    authorities.touch()
    flags = image_build.flags({"PIP_CERT": str(authorities), "BASE_IMAGE": "localhost/base"})
    assert f"--volume={authorities}:{authorities}:ro" in flags
    assert "--build-arg=BASE_IMAGE=localhost/base" in flags


FAKE_BUILDAH = """#!/bin/sh
case $5 in
  images) cat "$IMAGES" ;;
  rmi) shift 5; echo "$@" > "$REMOVED" ;;
esac
"""


def test_images_that_no_last_build_has_used_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buildah, log = tmp_path / "bin" / "buildah", tmp_path / "modelport" / "logs" / "image-a.log"
    for file in (buildah, log):
        file.parent.mkdir(parents=True)
    buildah.write_text(FAKE_BUILDAH)
    buildah.chmod(0o755)
    monkeypatch.setenv("PATH", f"{buildah.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("IMAGES", "REMOVED"):
        monkeypatch.setenv(name, str(tmp_path / name))
    ids = [f"{number:03x}{0:061x}" for number in range(500)]
    lines = [*(f"sha256:{each} <none>" for each in ids[1:]), f"sha256:{ids[0]} localhost/tagged"]
    (tmp_path / "IMAGES").write_text("\n".join(lines))
    image_build.prune()
    assert not (tmp_path / "REMOVED").exists()
    log.write_text(f"STEP 1/2\n--> Using cache {ids[7]}\n--> {ids[7][:11]}\n")
    image_build.prune()
    assert (tmp_path / "REMOVED").read_text().split() == [each for each in ids[1:] if each != ids[7]]


@pytest.mark.parametrize("image", ["postgres", "redis"])
def test_the_stand_ins_entry_points_are_plain_shell(image: str) -> None:
    script = Path(image_build.__file__).parent / "images" / image / "entrypoint.sh"
    subprocess.run(["sh", "-n", script], check=True)
