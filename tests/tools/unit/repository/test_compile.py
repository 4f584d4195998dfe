"""After the installation no process compiles what it cannot keep: models' libraries, a start's imports."""

import os
import runpy
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, PackagePath, files
from pathlib import Path

ROOT = Path(__file__).parents[4]
SCRIPT = ROOT / "requirements" / "compile.py"
# The platform's own list is long to compile; that it can be imported is what each installation shows.
_WITH_A_SMALL_PLATFORM = """
import runpy, sys
script = runpy.run_path(sys.argv[1])
script["main"].__globals__["_PLATFORM"] = "import modelport_process.backoff"
sys.exit(script["main"](sys.argv[2:]))
"""

_LOADED = """
import sys
import joblib, lightgbm, onnxruntime, pandas, sklearn.ensemble, sklearn.pipeline, skops.io, xgboost
print(*(getattr(module, "__file__", None) for module in [*sys.modules.values()]), sep="\\n")
"""


def compiled(tmp_path: Path, *names: str) -> set[str]:
    """The modules that were compiled, by the ends of their paths, where the environment keeps no bytecode."""
    lock, cache = tmp_path / "lock.txt", tmp_path / "cache"
    lock.write_text("".join(f"{name}==1.0 \\\n    --hash=sha256:00\n" for name in names))
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    command = (sys.executable, "-c", _WITH_A_SMALL_PLATFORM, str(SCRIPT), str(lock))
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stderr
    return {f"{path.parent.name}/{path.name.split('.')[0]}" for path in cache.rglob("*.pyc")}


def test_what_a_lock_lists_is_compiled_without_its_tests(tmp_path: Path) -> None:
    found = compiled(tmp_path, "joblib", "no-such-distribution")
    assert {"joblib/parallel", "loky/process_executor"} <= found
    assert not any(module.startswith(("test/", "tests/")) for module in found)


def test_what_importing_models_libraries_loads_is_compiled() -> None:
    script = runpy.run_path(str(SCRIPT))
    locks = [lock.read_text() for lock in ROOT.glob("requirements/image-runtime-*.txt")]
    names = {name for lock in locks for name in script["_NAME"].findall(lock)}
    compiled = {str(path) for name in names for path in script["_modules"](name)}
    installed = {str(file.locate()) for name in names for file in files_of(name) if file.suffix == ".py"}
    shown = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True)
    # The packages that skops finds tests in are empty.
    loaded = {file for file in shown.stdout.splitlines() if file in installed and "/tests/" not in file}
    assert len(loaded) > 1000
    assert loaded <= compiled


def files_of(name: str) -> list[PackagePath]:
    try:
        return files(name) or []
    except PackageNotFoundError:
        return []


def test_what_the_platform_imports_is_compiled(tmp_path: Path) -> None:
    assert "modelport_process/backoff" in compiled(tmp_path)


def test_what_a_first_start_imports_is_compiled_and_the_rest_is_not(tmp_path: Path) -> None:
    script = runpy.run_path(str(SCRIPT))
    environment = {**script["_writing_bytecode"](), "PYTHONPYCACHEPREFIX": str(tmp_path)}
    subprocess.run([sys.executable, "-c", script["_DEMO"]], env=environment, check=True, timeout=250)
    found = {path.parent.name for path in tmp_path.rglob("*.pyc")}
    assert {"linear_model", "backends", "modelport_standalone"} <= found
    assert {"xgboost", "lightgbm", "onnxruntime"}.isdisjoint(found)


def test_the_rest_is_compiled_behind_everything_else_and_then_marked(tmp_path: Path) -> None:
    lock, mark = tmp_path / "lock.txt", tmp_path / "compiled"
    lock.write_text("joblib==1.0\n")
    program = _WITH_A_SMALL_PLATFORM.replace("sys.exit(", "import os; code = (").rstrip()
    shown = subprocess.run(
        [sys.executable, "-c", f"{program}; print(code, os.nice(0))", SCRIPT, "--idle", mark, lock],
        env={**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    assert shown.stdout == "0 19\n"
    assert mark.exists()


def test_what_waits_for_it_goes_on_at_once(tmp_path: Path) -> None:
    mark = tmp_path / "compiled"
    started = [sys.executable, SCRIPT, "--later", mark, tmp_path / "no-such-lock.txt"]
    subprocess.run(started, check=True, timeout=600)
    assert not mark.exists(), "nor is it marked where it fails"
