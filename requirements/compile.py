"""Compile to bytecode what processes import that cannot keep it, and what every start imports.

`python requirements/compile.py LOCK...`, in the environment itself. The locks list what models' processes may
import: they stand in a sandbox that lets them write nothing, so each of them would compile it again. The
platform's processes keep what they compile, but not under PYTHONDONTWRITEBYTECODE. All that is installed is
three times as much: tests, and generated code that nobody imports.
"""

import compileall
import os
import re
import subprocess
import sys
from collections.abc import Iterator
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


def main(locks: list[str]) -> int:
    names = {name for lock in locks for name in _NAME.findall(Path(lock).read_text(encoding="utf-8"))}
    modules = sorted({path for name in names for path in _modules(name)})
    platform = subprocess.Popen([sys.executable, "-c", _PLATFORM], env=_writing_bytecode())
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(partial(compileall.compile_file, quiet=2), modules, chunksize=32):
            pass
    return platform.wait()


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
