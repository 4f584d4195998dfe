"""Compile to bytecode what processes import that cannot keep it, and what every start imports.

`python requirements/compile.py LOCK...`, in the environment itself. The locks list what models' processes may
import: they stand in a sandbox that lets them write nothing, so each of them would compile it again. The
platform's processes keep what they compile, but not under PYTHONDONTWRITEBYTECODE. All that is installed is
three times as much: tests, and generated code that nobody imports.

`--first` compiles what a first start with the demo imports, and no more. `--later MARK LOCK...` returns at
once and has the rest compiled by processors that have nothing else to do; the file MARK is there once it is.
"""

import compileall
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

_NAME = re.compile(r"^([A-Za-z0-9][\w.-]*)==", re.MULTILINE)
# Tests, and what prepares models for ONNX Runtime.
_NOT_IMPORTED = re.compile(r"(^|/)tests?/|^onnxruntime/(quantization|tools|transformers)/")
_PLATFORM = (
    "import modelport.cli.command, modelport_standalone.running, modelport_standalone.apps, uvloop, "
    "modelport_standalone.console, modelport_standalone.batch_worker.child, alembic.command, "
    "modelport_runtime.server.process, modelport_runtime.worker.process"
)
_DEMO = (
    "import modelport_standalone.demo_model, modelport_runtime.worker.process; "
    "from modelport_runtime.core import backends; backends.prepare('sklearn')"
)


def main(arguments: Sequence[str]) -> int:
    match list(arguments):
        case ["--first"]:
            return _import(_PLATFORM, _DEMO)
        case ["--later", mark, *locks]:
            _start_later(mark, locks)
            return 0
        case ["--idle", mark, *locks]:
            _step_back()
            code = compile_all(locks)
            if code == 0:
                Path(mark).touch()
            return code
        case locks:
            return compile_all(locks)


def compile_all(locks: Sequence[str]) -> int:
    names = {name for lock in locks for name in _NAME.findall(Path(lock).read_text(encoding="utf-8"))}
    modules = sorted({path for name in names for path in _modules(name)})
    platform = subprocess.Popen([sys.executable, "-c", _PLATFORM], env=_writing_bytecode())
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(partial(compileall.compile_file, quiet=2), modules, chunksize=32):
            pass
    return platform.wait()


def _import(*programs: str) -> int:
    """Side by side. Who imports what is compiled keeps it."""
    started = [subprocess.Popen([sys.executable, "-c", each], env=_writing_bytecode()) for each in programs]
    return max(each.wait() for each in started)


def _start_later(mark: str, locks: Sequence[str]) -> None:
    """In a session of its own: Ctrl-C is for the platform."""
    subprocess.Popen(
        [sys.executable, __file__, "--idle", mark, *locks],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _step_back() -> None:
    os.nice(19)
    # Linux has a class behind every other process, whatever their niceness.
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _modules(name: str) -> Iterator[Path]:
    """Nothing for what this environment does not have: the locks are those of other images too."""
    try:
        installed = files(name) or []
    except PackageNotFoundError:
        return
    for file in installed:
        if file.suffix == ".py" and not _NOT_IMPORTED.search(file.as_posix()):
            yield Path(str(file.locate()))


def _writing_bytecode() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
