"""A model's own packages: nothing of them runs before the sandbox, and the runtime's own come before them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime.integration.hostile.harness import Runs
from tests.support import models
from tests.support.runtime_fixtures import Runtime
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

StartRuntime = Callable[..., Runtime]
ROW = [5.1, 3.5, 1.4, 0.2]
# Modules that Python's `site` imports by their names, and files of which it runs each line that imports.
AT_START = ("sitecustomize.py", "usercustomize.py")


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """What code of a package would leave behind, if it ran outside of the sandbox."""
    return tmp_path / "was_here"


@pytest.fixture
def packages(tmp_path: Path, marker: Path) -> Path:
    """A folder with a package that would run at each start of Python, and one of a name that is ours too."""
    writes = f"import pathlib; pathlib.Path({str(marker)!r}).write_text('ran')\n"
    files = dict.fromkeys(("at_start.pth", *AT_START), writes)
    files["its_own.py"] = "VALUE = 7\n\ndef inner():\n    return open('/etc/hostname').read()\n"
    files["orjson/__init__.py"] = "raise ImportError('not this one')\n"
    folder = tmp_path / "packages"
    wheel = make_wheel(tmp_path, "its-own", "1.0", files=files)
    subprocess.run(
        [sys.executable, "-I", "-m", "zipfile", "-e", str(wheel), str(folder)], check=True, timeout=60
    )
    return folder


@pytest.fixture
def own(runtime: StartRuntime, packages: Path) -> StartRuntime:
    def start(artifact: Path, **env: str) -> Runtime:
        given = {
            "MODELPORT_RUNTIME_MODEL_PYTHON": sys.executable,
            "MODELPORT_RUNTIME_PACKAGES": str(packages),
        }
        return runtime(artifact, **given, **env)

    return start


def test_pythons_site_would_run_what_is_in_there(packages: Path, marker: Path) -> None:
    """Else the next test would show nothing."""
    code = f"import site; site.addsitedir({str(packages)!r})"
    subprocess.run([sys.executable, "-I", "-c", code], check=True, timeout=60)
    assert marker.exists()


def test_nothing_of_them_runs_before_the_sandbox(own: StartRuntime, marker: Path, tmp_path: Path) -> None:
    started = own(models.save_joblib(models.iris_logistic().model, tmp_path)).wait_until_started()
    status = started.status
    assert (status["state"], status["sandbox"]["level"]) == ("ready", 2), started.log
    assert started.post("/predict", {"input": ROW}).json["prediction"] == "setosa"
    # With kernels, which the model process made and proved: with the runtime's orjson, not the model's.
    assert status["engine"] == "numpy"
    assert not marker.exists()


def test_what_begins_it_needs_nothing_that_is_the_models_own() -> None:
    none = "".join(f"sys.modules[{name!r}] = None; " for name in ("numpy", "joblib", "scipy", "sklearn"))
    code = f"import sys; {none}import modelport_runtime.worker.begin, modelport_runtime.worker.own_packages"
    subprocess.run([sys.executable, "-I", "-c", code], check=True, timeout=60)


def test_they_are_imported_inside_of_it(own: StartRuntime, tmp_path: Path) -> None:
    path = models.save_pickle(
        Runs(exec, "import its_own; assert its_own.VALUE == 7; its_own.inner()"), tmp_path
    )
    status = own(path).wait_until_started().status
    assert (status["state"], status["reason"]) == ("failed", "SandboxViolation"), status
    assert "/etc/hostname" in status["message"] or "hostname" in status["message"]


def test_what_they_lack_is_named(own: StartRuntime, tmp_path: Path) -> None:
    path = models.save_pickle(Runs(exec, "import not_required"), tmp_path)
    status = own(path).wait_until_started().status
    assert (status["state"], status["reason"]) == ("failed", "MissingModule"), status
    assert "'not_required'" in status["message"]
