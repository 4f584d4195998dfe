"""The Dockerfiles keep to one form, and install what their distributions ask for: no more, and locked."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from requirements.distribution import requirements
from tests.architecture.modules import imports
from tests.chart.unit.chart import ROOT

DOCKERFILES = {
    "control-api": "control-api/Dockerfile",
    "gateway": "gateway/Dockerfile",
    "operator": "operator/Dockerfile",
    "runtime-sklearn": "model-runtime/Dockerfile.sklearn",
    "runtime-onnx": "model-runtime/Dockerfile.onnx",
    "standalone": "standalone/Dockerfile",
}
_WITH_PAGES = ("control-api", "standalone")
_STARTED = r'"python", "-Iu", "-m", "modelport_\w+"'


@pytest.fixture(params=DOCKERFILES)
def part(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_it_builds_on_any_base_and_runs_as_a_number(part: str) -> None:
    text = (ROOT / DOCKERFILES[part]).read_text()
    stages = ["${BASE_IMAGE}", "libraries", "${BASE_IMAGE}"]
    # Two more build the pages of /help and the client's wheel.
    assert re.findall(r"^FROM (\S+)", text, re.M) == [
        *["${BASE_IMAGE}"] * 2 * (part in _WITH_PAGES),
        *stages,
    ]
    last = text.rsplit("FROM ", maxsplit=1)[1]
    assert "USER 65532:65532" in last
    # The whole platform's is a script, since each hosting platform says in its own words where to listen.
    started = '"sh", "/opt/modelport/bin/start.sh"' if part == "standalone" else _STARTED
    assert re.search(rf"^ENTRYPOINT \[{started}\]$", last, re.M)
    assert f"requirements/image-{part}.txt" in text
    assert "://" not in text


def test_its_libraries_are_locked_and_are_those_of_its_distribution(part: str) -> None:
    text = (ROOT / "requirements" / f"image-{part}.txt").read_text()
    pins = re.findall(r"^([\w.-]+)==\S+", text, re.M)
    assert text.count("--hash=sha256:") >= len(pins)
    assert "://" not in text
    assert _direct(part) <= set(pins)


def _direct(part: str) -> set[str]:
    name = re.sub(r"^runtime-(\w+)$", r"runtime[\1]", part)
    return {re.split(r"[\[>=<]", each)[0].lower() for each in requirements(f"modelport-{name}")}


def test_it_holds_the_packages_that_its_code_imports(part: str) -> None:
    copied = re.findall(
        r"^COPY \S+/(modelport\w*) /build/code/\1$", (ROOT / DOCKERFILES[part]).read_text(), re.M
    )
    # Models' processes are started, not imported.
    started = {"modelport_runtime"} if part == "standalone" else set()
    assert set(copied) == {name.split(".")[0] for name in _reached_from({copied[-1], *started})}


def _reached_from(packages: set[str]) -> set[str]:
    graph = imports()
    reached: set[str] = set()
    found = {name for name in graph if name.split(".")[0] in packages}
    while found:
        reached |= found
        found = {target for name in found for target in graph[name]} - reached
    return reached


def test_a_build_sees_nothing_but_code_and_the_pages_of_its_help() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    for line in lines[1:]:
        assert line == "**/__pycache__" or any(ROOT.glob(line.removeprefix("!"))), line


def test_a_cluster_in_docker_is_given_each_image_that_was_built_for_it(tmp_path: Path) -> None:
    """Programs stand in for Docker and the cluster, and write down what they were called for."""
    for program in ("docker", "kind", "kubectl", "helm"):
        file = tmp_path / program
        file.write_text(f'#!/bin/sh\necho "{program} $*" >> {tmp_path}/calls\n')
        file.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["bash", ROOT / "helm/kind/up.sh"], env={**os.environ, "PATH": path}, check=True)
    calls = (tmp_path / "calls").read_text()
    built = re.findall(r"^docker build .*--tag (\S+)", calls, re.M)
    assert built == re.findall(r"^kind load docker-image .* (\S+)$", calls, re.M)
    assert len(built) == len(DOCKERFILES) - 1
