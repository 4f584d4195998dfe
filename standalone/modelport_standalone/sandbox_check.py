"""Can this machine isolate model code? A child finds out, since the way to know is to enter the sandbox.

The child runs this very module, so that checks of types and imports see what it calls.
"""

import asyncio
import os
import sys
from pathlib import Path

from modelport_runtime.process.environment import clean_environment
from modelport_runtime.sandbox.allowed import of_a_model
from modelport_runtime.sandbox.enter import enter

_SECONDS = 20
_MEMORY_BYTES = 1 << 30


async def check(folder: Path) -> tuple[int, str]:
    """Return the level (0 none, 1 in part, 2 whole) and what it rests on. `folder` is one that exists."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", __name__, str(folder)),
        # A runtime's own: it keeps libraries from starting threads before the sandbox is there.
        env=clean_environment({"PATH": os.defpath}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            report, errors = await child.communicate()
    except TimeoutError:
        child.kill()
        return 0, "the check did not end"
    level, _, detail = report.decode(errors="replace").strip().partition(" ")
    return (int(level), detail) if level.isdecimal() else (0, _explain_failure(errors))


def _explain_failure(errors: bytes) -> str:
    lines = errors.decode(errors="replace").strip().splitlines()
    return f"the check failed with {lines[-1]}" if lines else "the check ended without a response"


def _enter(folder: Path) -> None:
    report = enter(of_a_model(("sklearn",), folder), _MEMORY_BYTES)
    print(report.level, report.detail)


if __name__ == "__main__":
    _enter(Path(sys.argv[1]))
