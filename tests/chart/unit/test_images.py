"""The Dockerfiles keep to one form, and install what their distributions ask for: no more, and locked."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from modelport_crds.mlmodel import Lock
from modelport_environments.catalogue import BESIDE_OWN, ENVIRONMENTS
from modelport_operator.core.specs.bundle_job import build_bundle_job
from modelport_operator.core.specs.container_env import PACKAGES_DIR
from modelport_operator.settings import Settings

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
_BESIDE_A_SERVER = {
    "environment": "model-runtime/Dockerfile.environment",
    "own": "model-runtime/Dockerfile.own",
}
_ALL = {**DOCKERFILES, **_BESIDE_A_SERVER}
_LOCKS = {
    "environment": "libs/modelport_environments/locks/${ENVIRONMENT}.txt",
    "own": "libs/modelport_environments/locks/beside-own.txt",
}
_WITH_PAGES = ("control-api", "standalone")
_STARTED = r'"python", "-Iu", "-m", "modelport_\w+"'


@pytest.fixture(params=_ALL)
def part(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_it_builds_on_any_base_and_runs_as_a_number(part: str) -> None:
    text = (ROOT / _ALL[part]).read_text()
    apart = part in _BESIDE_A_SERVER
    stages = ["${BASE_IMAGE}", "server" if apart else "libraries", "${BASE_IMAGE}"]
    # Two more build the pages of /help and the client's wheel.
    assert re.findall(r"^FROM (\S+)", text, re.M) == [
        *["${BASE_IMAGE}"] * 2 * (part in _WITH_PAGES),
        *stages,
        # A second set of libraries reads the model; further ones bring OpenMP along and make bundles.
        *["${BASE_IMAGE}"] * apart,
        *["${BASE_IMAGE}"] * 2 * (part == "own"),
    ]
    last = text.rsplit("FROM ", maxsplit=1)[1]
    assert "USER 65532:65532" in last
    # The whole platform's is a script, since each hosting platform says in its own words where to listen.
    started = '"sh", "/opt/modelport/bin/start.sh"' if part == "standalone" else _STARTED
    assert re.search(rf"^ENTRYPOINT \[{started}\]$", last, re.M)
    assert _LOCKS.get(part, f"requirements/image-{part}.txt") in text
    assert "://" not in text


@pytest.mark.parametrize("part", ["runtime-sklearn", "standalone", *_BESIDE_A_SERVER])
def test_lightgbm_finds_the_systems_openmp_in_it(part: str) -> None:
    last = (ROOT / _ALL[part]).read_text().rsplit("FROM ", maxsplit=1)[1]
    assert "/usr/lib/libgomp.so.1" in last


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


def test_a_build_sees_what_its_steps_copy(part: str) -> None:
    shown = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line.removeprefix("!") for line in shown if line.startswith("!")]
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / _ALL[part]).read_text(), re.M)
    sources = [source.replace("${ENVIRONMENT}", "sklearn-1.2") for line in lines for source in line.split()]
    assert sources
    for source in sources:
        assert any(ROOT.glob(source)), f"{source} is not there"
        # A pattern stands for all that is in the folder it names, and of a folder some files may be enough.
        places = [Path(source), *Path(source).parents]
        is_shown = any(place.match(pattern) for pattern in patterns for place in places)
        assert is_shown or any(each.startswith(f"{source}/") for each in patterns), f"{source} is left out"


@pytest.mark.parametrize("apart", _BESIDE_A_SERVER)
def test_an_environments_image_is_built_on_the_python_of_all_of_them(apart: str) -> None:
    text = (ROOT / _ALL[apart]).read_text()
    [python] = {each.python for each in (*ENVIRONMENTS.values(), BESIDE_OWN)}
    assert f"ARG BASE_IMAGE=python:{python}-slim\n" in text
    assert f"[:2] == ({python.replace('.', ', ')})" in text


@pytest.mark.parametrize("apart", _BESIDE_A_SERVER)
def test_an_environments_image_serves_with_the_platforms_libraries_and_reads_models_with_its_own(
    apart: str,
) -> None:
    text = (ROOT / _ALL[apart]).read_text()
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
    assert f"--tag modelport-runtime-own:1.0 --file {_ALL['own']}" in _build(tmp_path, "runtime-own")


def test_the_image_of_own_requirements_has_what_the_operator_and_the_init_container_look_for() -> None:
    text = (ROOT / _ALL["own"]).read_text()
    assert f"ENV MODELPORT_RUNTIME_PACKAGES={PACKAGES_DIR}\n" in text
    settings = Settings.model_validate({"artifact_base_url": "http://a/{sha256}"})
    job = build_bundle_job(Lock(uri=f"artifact:{'0' * 64}", sha256="0" * 64), "", settings)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert "/opt/bundler /opt/bundler" in text
    assert container["command"][0].startswith("/opt/bundler/")
    env = {each["name"]: each["value"] for each in container["env"]}
    assert f"ENV MODELPORT_RUNTIME_MODEL_PYTHON={env['MODELPORT_BUNDLE_PYTHON']}\n" in text


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
