"""How uv is called, which resolves and installs: with the user's settings and none of the platform's."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress

from modelport_environments.errors import EnvironmentUnavailable


def find_uv() -> str:
    """Return the path of the package's own, before any other: its options are those that we know.

    Raises EnvironmentUnavailable.
    """
    from uv import find_uv_bin

    try:
        return str(find_uv_bin())
    except FileNotFoundError as error:
        raise EnvironmentUnavailable(f"uv, which makes environments, is not there: {error}") from error


def without_ours() -> dict[str, str]:
    """Return the user's variables, who may have set an index or a proxy; none of ours: some are secret."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MODELPORT_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept


async def run(
    command: Sequence[str], stdin: bytes = b"", folder: str | None = None
) -> tuple[int, bytes, bytes]:
    """Run a command to its end; give its exit code, stdout and stderr. Who is cancelled ends all of it."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=without_ours(),
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, said = await process.communicate(stdin)
    finally:
        if process.returncode is None:
            # It may have ended by itself at this moment.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return process.returncode or 0, out, said


def last_words(said: str, lines: int) -> str:
    """Return the end of what uv wrote to stderr, in one line."""
    written = [line.strip() for line in said.splitlines() if line.strip()]
    return " ".join(written[-lines:])
