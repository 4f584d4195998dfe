"""Promises about the repository itself: layers hold, locked versions are hashed and name no registry."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
WRONG_IMPORTS = {
    "gateway/modelport_gateway/routing/routes.py": "modelport_operator.settings",
    "control-api/modelport_control_api/settings.py": "modelport_gateway",
    "operator/modelport_operator/settings.py": "modelport_control_api",
    "libs/modelport_store/store.py": "modelport_gateway",
    "crds/modelport_crds/names.py": "modelport_kube",
    "model-runtime/modelport_runtime/settings.py": "modelport_crds",
    "client/modelport/errors.py": "modelport_kube",
}


@pytest.mark.slow
@pytest.mark.parametrize(("file", "module"), WRONG_IMPORTS.items())
def test_a_wrong_import_between_parts_breaks_the_contracts(file: str, module: str, tmp_path: Path) -> None:
    folders = sorted({name.split("/", maxsplit=1)[0] for name in WRONG_IMPORTS} | {"standalone"})
    for folder in folders:
        subprocess.run(["cp", "-r", ROOT / folder, tmp_path / folder], check=True)
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    changed = tmp_path / file
    changed.write_text(f"{changed.read_text()}\nimport {module}\n")
    environment = {
        "PYTHONPATH": ":".join(str(tmp_path / folder) for folder in folders),
        "PATH": "/usr/bin:/bin",
    }
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    answer = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert module.split(".", maxsplit=1)[0] in answer.stdout


@pytest.mark.parametrize("name", ["standalone.txt", "dev.txt", "uv.txt"])
def test_locked_requirements_are_hashed_and_name_no_registry(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    pins = [line for line in text.splitlines() if line[:1].isalnum()]
    assert pins
    assert all("==" in pin for pin in pins)
    assert text.count("--hash=sha256:") >= len(pins)
    assert "://" not in text
    assert "index-url" not in text


def test_no_property_is_held_to_a_clock() -> None:
    """Hypothesis gives each example 200 ms by default, which a busy machine may take from it."""
    files = (ROOT / "tests").rglob("test_*.py")
    trees = [ast.parse(text) for text in map(Path.read_text, files) if "hypothesis" in text]
    # A list, since functions of several files may share a name.
    decorated = [
        (node.name, [ast.unparse(each) for each in node.decorator_list])
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, _FUNCTIONS)
    ]
    properties = [
        (name, given) for name, given in decorated if any(text.startswith("given(") for text in given)
    ]
    assert len(properties) > 40
    held = [name for name, given in properties if not any("deadline=None" in text for text in given)]
    assert held == [], "add deadline=None to their @settings"
