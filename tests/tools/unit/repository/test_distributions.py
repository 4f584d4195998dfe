"""Each distribution holds its packages, and asks for what they import: no more and no less."""

import ast
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from email.parser import HeaderParser
from functools import cache
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path

import pytest
from modelport_environments.catalogue import PLATFORM_FRAMEWORKS
from modelport_runtime.core.backends.registry import FRAMEWORKS
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from requirements.distribution import projects, requirements
from requirements.version import places, with_version
from tests.architecture.modules import ROOT, imports, product_modules

FOLDERS = {
    "modelport": "client",
    "modelport-control-api": "control-api",
    "modelport-crds": "crds",
    "modelport-gateway": "gateway",
    "modelport-libs": "libs",
    "modelport-operator": "operator",
    "modelport-runtime": "model-runtime",
    "modelport-standalone": "standalone",
}
NOT_BY_NAME = {
    "httptools": "uvicorn takes it",
    "uvloop": "uvicorn takes it",
    "psycopg2-binary": "SQLAlchemy takes it for postgresql://",
}
BIN = Path(sys.executable).parent
# Imported in the environment of its framework alone, whose lock has it.
_IN_ENVIRONMENTS = {
    framework.imports.partition(".")[0]
    for framework in FRAMEWORKS
    if framework.name not in PLATFORM_FRAMEWORKS
} | {"h5py", "keras", "patsy", "tensorflow", "transformers", "autogluon"}


@pytest.fixture(params=FOLDERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel of each distribution, built with what the lock brought."""
    folder = tmp_path_factory.mktemp("wheels")
    for source in FOLDERS.values():
        run(
            BIN / "uv",
            "build",
            "--quiet",
            "--offline",
            "--no-build-isolation",
            "--wheel",
            "--out-dir",
            folder,
            source,
        )
    return folder


def run(*command: str | Path) -> str:
    environment = {**os.environ, "VIRTUAL_ENV": str(BIN.parent)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_distribution_of_the_repository_is_known() -> None:
    assert FOLDERS.keys() == projects().keys()
    (listed,) = re.findall(r"^DISTRIBUTIONS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(listed.split()) == sorted(FOLDERS.values())


def test_its_wheel_holds_its_packages_typed_and_nothing_else(name: str, wheels: Path) -> None:
    (wheel,) = wheels.glob(f"{name.replace('-', '_')}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        metadata = HeaderParser().parsestr(archive.read(one_of(held, "/METADATA")).decode())
    source = ROOT / FOLDERS[name]
    written = {str(path.relative_to(source)) for path in source.glob("modelport*/**/*.py")}
    assert {path for path in held if path.endswith(".py")} == written
    packages = {path.split("/")[0] for path in written}
    assert {path.split("/")[0] for path in held if ".dist-info/" not in path} == packages
    assert {f"{package}/py.typed" for package in packages} <= held
    assert one_of(held, "/licenses/LICENSE")
    assert (metadata["Name"], metadata["License-Expression"]) == (name, "MIT")


def one_of(names: Iterable[str], ending: str) -> str:
    (found,) = (name for name in names if name.endswith(ending))
    return found


def test_it_requires_all_that_its_code_imports(name: str) -> None:
    reached = set(reached_from(packages_of(name)))
    declared = {name_of(each) for each in requirements(with_extras(name))}
    assert third_party(reached) <= declared
    own = {owner(module) for module in reached} - {name}
    assert own == set(own_declared(with_extras(name))) - {name}


def test_it_requires_nothing_that_its_code_does_not_import(name: str) -> None:
    mine = {name_of(each) for each in direct(name) if not each.startswith("modelport")}
    assert mine - third_party(reached_from(packages_of(name))) <= NOT_BY_NAME.keys()


def with_extras(name: str) -> str:
    """Name all its extras, but for the one that brings another distribution."""
    extras = [each for each in projects()[name].get("optional-dependencies", ()) if each != "standalone"]
    return f"{name}[{','.join(extras)}]" if extras else name


def direct(name: str) -> Iterator[str]:
    project = projects()[name]
    yield from project["dependencies"]
    for extra, needed in project.get("optional-dependencies", {}).items():
        yield from needed if extra != "standalone" else ()


def own_declared(name: str) -> Iterator[str]:
    for requirement in direct(name.split("[", maxsplit=1)[0]):
        if requirement.startswith("modelport"):
            yield name_of(requirement)


def name_of(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)


def packages_of(name: str) -> set[str]:
    return {path.name for path in (ROOT / FOLDERS[name]).glob("modelport*") if path.is_dir()}


def reached_from(packages: set[str]) -> Iterator[str]:
    graph = imports()
    reached: set[str] = set()
    found = {module for module in graph if module.split(".")[0] in packages}
    while found:
        yield from found
        reached |= found
        found = {target for module in found for target in graph[module]} - reached


def owner(module: str) -> str:
    package = module.split(".", maxsplit=1)[0]
    (name,) = (name for name in FOLDERS if package in packages_of(name))
    return name


def third_party(modules: Iterable[str]) -> set[str]:
    """The distributions that bring what these modules import."""
    bring = brought_by()
    found = {name for module in modules for name in imported(product_modules()[module].tree)}
    # What type checkers know, and no process imports.
    foreign = found - sys.stdlib_module_names - {"_typeshed"} - _IN_ENVIRONMENTS
    return {canonicalize_name(bring[each][0]) for each in foreign if not each.startswith("modelport")}


@cache
def brought_by() -> Mapping[str, list[str]]:
    return packages_distributions()


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_the_client_works_where_nothing_else_is_installed(wheels: Path, tmp_path: Path) -> None:
    (wheel,) = wheels.glob("modelport-*.whl")
    environment = tmp_path / "environment"
    python = environment / "bin" / "python"
    run(BIN / "uv", "venv", "--quiet", "--offline", "--python", sys.executable, environment)
    run(BIN / "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel)
    (site_packages,) = environment.glob("lib/python*/site-packages")
    for each in needed_by(projects()["modelport"]["dependencies"]).values():
        link(each, site_packages)
    assert "Usage: modelport" in run(environment / "bin" / "modelport", "--help")
    run(python, "-I", "-c", "import modelport; modelport.Modelport('http://127.0.0.1:1', 'key').close()")
    up = subprocess.run(
        [environment / "bin" / "modelport", "up"], capture_output=True, text=True, check=False
    )
    assert up.returncode == 1
    assert "pip install 'modelport[standalone]'" in up.stderr


def needed_by(wanted: Iterable[str]) -> dict[str, Distribution]:
    """The installed distributions that these requirements stand for, and all that those need."""
    found: dict[str, Distribution] = {}
    left = [Requirement(each) for each in wanted]
    while left:
        requirement = left.pop()
        name = canonicalize_name(requirement.name)
        if name not in found and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            found[name] = distribution(name)
            left += [Requirement(each) for each in found[name].requires or ()]
    return found


def link(installed: Distribution, site_packages: Path) -> None:
    """Bring in what is installed here already: no registry is asked."""
    for top in {
        file.parts[0] for file in installed.files or () if file.parts[0] not in ("..", "__pycache__")
    }:
        (site_packages / top).symlink_to(Path(str(installed.locate_file(top))))


def test_one_version_stands_everywhere_and_is_set_everywhere() -> None:
    texts = {place: place.read_text() for place in places(ROOT)}
    assert versions(texts.values()) == {projects()["modelport"]["version"]}
    assert versions(with_version(text, "9.8.7") for text in texts.values()) == {"9.8.7"}


def versions(texts: Iterable[str]) -> set[str]:
    stated = re.compile(
        r"^(?:version|VERSION|appVersion)(?: = |: )\"?([^\"\n]+)|\"modelport[^\"=]*==([^\"]+)", re.M
    )
    return {found[1] or found[2] for text in texts for found in stated.finditer(text)}
