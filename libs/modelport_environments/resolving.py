"""From requirements to a lock: uv finds the versions, and no code of any package runs."""

import asyncio
import sys
import tempfile
from collections.abc import Sequence

from modelport_environments.catalogue import BESIDE_OWN
from modelport_environments.errors import (
    EnvironmentUnavailable,
    InvalidLock,
    InvalidRequirements,
    ResolverAway,
)
from modelport_environments.locked import read_lock, write_lock
from modelport_environments.uv import find_uv, last_words, run

NEEDED = ("numpy>=1.23", "joblib>=1.2")
"""What the runtime imports of a model's own libraries; what else it needs lies beside them (`BESIDE_OWN`)."""
_SECONDS = 120.0
_AT_ONCE = 2
_LINES = 12
# Of uv's words, where the index itself does not respond: what is asked for may be right.
_NO_ANSWER = ("Failed to fetch", "Network connectivity is disabled", "Connection", "timed out")
# Wheels alone: whatever else an index has would have to be built, by code of its own.
_OPTIONS = (
    *("--quiet", "--color", "never", "--no-progress", "--only-binary", ":all:", "--no-sources"),
    *("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header"),
)


class Resolver:
    """A few at a time: each call is a process of its own."""

    def __init__(self, *, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def lock(self, requirements: Sequence[str]) -> str:
        """Return the lock of what meets them and the runtime: the text, of which `digest_of` is the name.

        Raises InvalidRequirements, in uv's words, if nothing does, and ResolverAway.
        """
        text = "\n".join([*requirements, *NEEDED])
        async with self._turns:
            with tempfile.TemporaryDirectory(prefix="modelport-resolve-") as folder:
                code, out, said = await _run(_command(), text.encode(), folder, self._seconds)
        if code:
            raise _refusal(last_words(said.decode(errors="replace"), _LINES))
        try:
            return write_lock(read_lock(out.decode()))
        except InvalidLock as error:
            raise InvalidRequirements(f"cannot be locked: {error}") from error


def _command() -> list[str]:
    try:
        uv = find_uv()
    except EnvironmentUnavailable as error:
        raise ResolverAway(str(error)) from error
    versions = ["--python", sys.executable, "--python-version", BESIDE_OWN.python]
    return [uv, "pip", "compile", *_OPTIONS, *versions, "-"]


async def _run(command: list[str], text: bytes, folder: str, seconds: float) -> tuple[int, bytes, bytes]:
    try:
        async with asyncio.timeout(seconds):
            # In an empty folder: uv reads the settings of the project that it is started in.
            return await run(command, text, folder)
    except TimeoutError:
        raise ResolverAway(
            f"no set of packages was found within {seconds:.0f} seconds: name versions of more packages"
        ) from None


def _refusal(words: str) -> Exception:
    if any(each in words for each in _NO_ANSWER):
        return ResolverAway(f"the package index cannot be asked: {words}")
    needed = ", ".join(NEEDED)
    ours = f" (The runtime itself needs {needed}.)" if "numpy" in words or "joblib" in words else ""
    return InvalidRequirements(f"cannot be met: {words.removeprefix('error: ')}{ours}")
