"""The Dockerfiles keep to one form, and install what their distributions ask for: no more, and locked."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from modelport_environments.catalogue import ENVIRONMENTS

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
_LOCKED = (*DOCKERFILES, "runtime-server")
_ALL = {**DOCKERFILES, "environment": "model-runtime/Dockerfile.environment"}
_LOCKS = {"environment": "libs/modelport_environments/locks/${ENVIRONMENT}.txt"}
_WITH_PAGES = ("control-api", "standalone")
_STARTED = r'"python", "-Iu", "-m", "modelport_\w+"'


@pytest.fixture(params=_ALL)
def part(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_it_builds_on_any_base_and_runs_as_a_number(part: str) -> None:
    text = (ROOT / _ALL[part]).read_text()
    stages = ["${BASE_IMAGE}", "server" if part == "environment" else "libraries", "${BASE_IMAGE}"]
    # Two more build the pages of /help and the client's wheel.
    assert re.findall(r"^FROM (\S+)", text, re.M) == [
        *["${BASE_IMAGE}"] * 2 * (part in _WITH_PAGES),
        *stages,
        # A second set of libraries reads the model.
        *["${BASE_IMAGE}"] * (part == "environment"),
    ]
    last = text.rsplit("FROM ", maxsplit=1)[1]
    assert "USER 65532:65532" in last
    # The whole platform's is a script, since each hosting platform says in its own words where to listen.
    started = '"sh", "/opt/modelport/bin/start.sh"' if part == "standalone" else _STARTED
    assert re.search(rf"^ENTRYPOINT \[{started}\]$", last, re.M)
    assert _LOCKS.get(part, f"requirements/image-{part}.txt") in text
    assert "://" not in text


@pytest.mark.parametrize("part", _LOCKED)
def test_its_libraries_are_locked_and_are_those_of_its_distribution(part: str) -> None:
    text = (ROOT / "requirements" / f"image-{part}.txt").read_text()
    pins = re.findall(r"^([\w.-]+)==\S+", text, re.M)
    assert text.count("--hash=sha256:") >= len(pins)
    assert "://" not in text
    assert _direct(part) <= set(pins)


def _direct(part: str) -> set[str]:
    name = re.sub(r"^runtime-(\w+)$", r"runtime[\1]", part).replace("[server]", "")
    return {re.split(r"[\[>=<]", each)[0].lower() for each in requirements(f"modelport-{name}")}


def test_it_holds_the_packages_that_its_code_imports(part: str) -> None:
    copied = re.findall(r"^COPY \S+/(modelport\w*) /build/code/\1$", (ROOT / _ALL[part]).read_text(), re.M)
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


def test_an_environments_image_is_built_on_the_python_of_all_of_them() -> None:
    text = (ROOT / _ALL["environment"]).read_text()
    [python] = {each.python for each in ENVIRONMENTS.values()}
    assert f"ARG BASE_IMAGE=python:{python}-slim\n" in text
    assert f"[:2] == ({python.replace('.', ', ')})" in text


def test_an_environments_image_serves_with_the_platforms_libraries_and_reads_models_with_its_own() -> None:
    text = (ROOT / _ALL["environment"]).read_text()
    server, _, rest = text.partition("\nFROM ${BASE_IMAGE} AS libraries")
    # Layers that name no environment are the same in all of these images.
    assert "requirements/image-runtime-server.txt" in server
    assert "ENVIRONMENT" not in server
    assert "install.sh libraries environment /opt/environment" in rest
    assert "ENV MODELPORT_RUNTIME_MODEL_PYTHON=/opt/environment/bin/python\n" in rest


def test_images_of_environments_are_built_where_they_are_named(tmp_path: Path) -> None:
    def built(*parts: str) -> list[tuple[str, str, str]]:
        calls = _build(tmp_path, *parts)
        return re.findall(r"--build-arg ENVIRONMENT=(\S+) .*--tag (\S+) --file (\S+)", calls)

    file = _ALL["environment"]
    assert built("runtime-sklearn-1.2") == [("sklearn-1.2", "modelport-runtime-sklearn-1.2:1.0", file)]
    assert [name for name, _, _ in built("environments", "gateway")] == sorted(ENVIRONMENTS)
    assert built() == built("runtime-sklearn") == []
    with pytest.raises(subprocess.CalledProcessError):
        built("runtime-sklearn-0.1")


def _build(folder: Path, *parts: str) -> str:
    """What Docker, for which a program stands in, is called for."""
    path = _stand_ins(folder, "docker")
    environment = {**os.environ, "PATH": path, "BUILDER": "docker", "TAG": "1.0"}
    (folder / "calls").write_text("")
    subprocess.run(["bash", ROOT / "images/build.sh", *parts], env=environment, check=True)
    return (folder / "calls").read_text()


def _stand_ins(folder: Path, *programs: str) -> str:
    """Programs that write down what they were called for; gives a PATH that has them first."""
    for program in programs:
        file = folder / program
        file.write_text(f'#!/bin/sh\necho "{program} $*" >> {folder}/calls\n')
        file.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_a_cluster_in_docker_is_given_each_image_that_was_built_for_it(tmp_path: Path) -> None:
    """Programs stand in for Docker and the cluster."""
    path = _stand_ins(tmp_path, "docker", "kind", "kubectl", "helm")
    subprocess.run(["bash", ROOT / "helm/kind/up.sh"], env={**os.environ, "PATH": path}, check=True)
    calls = (tmp_path / "calls").read_text()
    built = re.findall(r"^docker build .*--tag (\S+)", calls, re.M)
    assert built == re.findall(r"^kind load docker-image .* (\S+)$", calls, re.M)
    assert len(built) == len(DOCKERFILES) - 1
