"""After the installation no process compiles what it cannot keep: models' libraries, a start's imports."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path("requirements/compile.py").absolute()
# The platform's own list is long to compile; that it can be imported is what each installation shows.
_WITH_A_SMALL_PLATFORM = """
import runpy, sys
script = runpy.run_path(sys.argv[1])
script["main"].__globals__["_PLATFORM"] = "import modelport_process.backoff"
sys.exit(script["main"](sys.argv[2:]))
"""


def compiled(tmp_path: Path, *names: str) -> set[str]:
    """The modules that were compiled, by the ends of their paths, where the environment keeps no bytecode."""
    lock, cache = tmp_path / "lock.txt", tmp_path / "cache"
    lock.write_text("".join(f"{name}==1.0 \\\n    --hash=sha256:00\n" for name in names))
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    command = (sys.executable, "-c", _WITH_A_SMALL_PLATFORM, str(SCRIPT), str(lock))
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return {f"{path.parent.name}/{path.name.split('.')[0]}" for path in cache.rglob("*.pyc")}


def test_what_a_lock_lists_is_compiled_without_its_tests(tmp_path: Path) -> None:
    found = compiled(tmp_path, "joblib", "no-such-distribution")
    assert {"joblib/parallel", "loky/process_executor"} <= found
    assert not any(module.startswith(("test/", "tests/")) for module in found)


def test_what_the_platform_imports_is_compiled(tmp_path: Path) -> None:
    assert "modelport_process/backoff" in compiled(tmp_path)
