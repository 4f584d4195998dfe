"""Can this machine isolate model code? A child finds out, since the way to know is to enter the sandbox."""

import asyncio
import os
import sys
from pathlib import Path

from modelport_runtime.process.environment import clean_environment

_CODE = """
import pathlib, sys
from modelport_runtime.sandbox import enter, role
report = enter.enter(role.of_a_model("sklearn", pathlib.Path(sys.argv[1])), 1 << 30)
print(report.level, report.detail)
"""
_SECONDS = 20


async def check(folder: Path) -> tuple[int, str]:
    """Give the level (0 none, 1 in part, 2 whole) and what it rests on. `folder` is one that exists."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", _CODE, str(folder)),
        # A runtime's own: it keeps libraries from starting threads before the sandbox is there.
        env=clean_environment({"PATH": os.defpath}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            answer, _ = await child.communicate()
    except TimeoutError:
        child.kill()
        return 0, "the check did not end"
    level, _, detail = answer.decode(errors="replace").strip().partition(" ")
    return (int(level), detail) if level.isdecimal() else (0, "the check ended without an answer")
