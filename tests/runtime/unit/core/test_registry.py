"""Each framework is found by its name, without its library, and has what docs/add-a-framework.md promises."""

import importlib.util
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import numpy as np
import pytest
from modelport_environments.catalogue import PLATFORM_FRAMEWORKS
from modelport_runtime.core.backends import prepare, registry
from modelport_runtime.core.backends.registry import FRAMEWORKS, Framework
from modelport_runtime.core.types import LoadError
from modelport_runtime.inspection.formats import can_run_code

from tests.runtime.unit.core.conftest import open_engine, predict

TEMPLATE = Path(__file__).parents[4] / "docs" / "templates" / "backend.py"
BIG_LIBRARIES = {"sklearn", "xgboost", "lightgbm", "onnxruntime", "pandas", "scipy"}


@pytest.fixture(params=FRAMEWORKS, ids=lambda framework: framework.name)
def framework(request: pytest.FixtureRequest) -> Framework:
    known: Framework = request.param
    return known


def test_an_unknown_framework_is_refused_with_those_known() -> None:
    known = ", ".join(framework.name for framework in FRAMEWORKS)
    with pytest.raises(ValueError, match=rf"'keras'.*{known}"):
        prepare("keras")


def test_looking_a_framework_up_imports_no_library() -> None:
    script = (
        "import sys\nfrom modelport_runtime.core.backends import registry\n"
        "[registry.find(known.name) for known in registry.FRAMEWORKS]\n"
        f"print(*{BIG_LIBRARIES} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=100)
    assert done.stdout.split() == []


def test_preparing_one_framework_imports_no_other() -> None:
    script = (
        "import sys\nfrom modelport_runtime.core.backends import prepare\n"
        f"prepare('onnx')\nprint(*{BIG_LIBRARIES} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=100)
    assert done.stdout.split() == [b"onnxruntime"]


def test_it_has_a_backend_and_versions_to_report(framework: Framework) -> None:
    if framework.name not in PLATFORM_FRAMEWORKS:
        pytest.skip("its library is in its environment alone")
    module = importlib.import_module(f"{registry.__package__}.{framework.backend}")
    assert callable(module.load)
    assert tuple(framework.versions()) == framework.libraries
    assert registry.find(framework.name) is framework


def test_its_own_format_needs_no_sandbox(framework: Framework, tmp_path: Path) -> None:
    """What starts as a native file is never unpickled, so it must not be taken for a file with code."""
    unsafe = framework.name in ("catboost", "torch", "transformers", "autogluon")
    file = tmp_path / "model"
    start = framework.native[0] if isinstance(framework.native, tuple) else framework.native
    file.write_bytes((start or b"\x08") + b" and so on")
    assert can_run_code(file) == unsafe


class Doubles:
    """As simple as a model can be."""

    feature_names = ("length", "width")

    def predict(self, rows: Any) -> Any:
        return 2 * np.asarray(rows).sum(axis=1)


@pytest.fixture
def template(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The template as a framework of its own."""
    spec = importlib.util.spec_from_file_location(f"{registry.__package__}.from_template", TEMPLATE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, spec.name, module)
    copied = Framework(name="copied", imports="numpy", libraries=("numpy",), backend="from_template")
    monkeypatch.setitem(registry._BY_NAME, "copied", copied)
    return module


@pytest.mark.usefixtures("template")
def test_a_copy_of_the_template_serves(tmp_path: Path) -> None:
    joblib.dump(Doubles(), tmp_path / "model")
    engine = open_engine(tmp_path / "model", "copied")
    assert predict(engine, {"inputs": [[1, 2], {"width": 0.5, "length": 4}]})["predictions"] == [6, 9]
    assert engine.libraries_here == {"numpy": np.__version__}


@pytest.mark.usefixtures("template")
def test_a_copy_of_the_template_says_what_is_no_model(tmp_path: Path) -> None:
    joblib.dump({"weights": [1]}, tmp_path / "model")
    with pytest.raises(LoadError, match="holds a dict, which has no predict") as raised:
        open_engine(tmp_path / "model", "copied")
    assert raised.value.reason == "NotAModel"


def test_the_template_is_short() -> None:
    assert len(TEMPLATE.read_text().splitlines()) <= 40


def test_a_library_that_is_not_here_has_no_version() -> None:
    """A model's own requirements may bring scikit-learn without pandas, which many need not."""
    framework = replace(registry.find("sklearn"), libraries=("scikit-learn", "not-a-distribution", "numpy"))
    assert list(framework.versions()) == ["scikit-learn", "numpy"]
