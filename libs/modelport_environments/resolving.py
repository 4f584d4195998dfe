"""From requirements to a lock: uv finds the versions, and no code of any package runs."""

import asyncio
import os
import sys
import tomllib
from collections.abc import Sequence

from modelport_environments.catalogue import BESIDE_OWN
from modelport_environments.errors import (
    EnvironmentUnavailable,
    InvalidLock,
    InvalidRequirements,
    ResolverAway,
)
from modelport_environments.locked import Locked, read_lock, write_lock
from modelport_environments.uv import find_uv, last_words, run

NEEDED = ("numpy>=1.23", "joblib>=1.2")
"""What the runtime imports of a model's own libraries; what else it needs lies beside them (`BESIDE_OWN`)."""
_SECONDS = 120.0
_AT_ONCE = 2
_LINES = 12
# Of uv's words, where the index itself does not respond: what is asked for may be right.
_NO_ANSWER = ("Failed to fetch", "Network connectivity is disabled", "Connection", "timed out")
# Wheels alone: whatever else an index has would have to be built, by code of its own.
_OPTIONS = ("--quiet", "--color", "never", "--no-progress", "--only-binary", ":all:", "--no-sources")
_LOCKED = ("--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header")
_WITH_SIZES = ("--format", "pylock.toml", "--no-deps")
_GIB = 1 << 30
_NAMED = 5


class Resolver:
    """A few at a time: each call is a process of its own."""

    def __init__(self, *, seconds: float = _SECONDS, max_bytes: int | None = None) -> None:
        """max_bytes: that the packages of a lock may have to be fetched; None: any number."""
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def lock(self, requirements: Sequence[str]) -> str:
        """Return the lock of what meets them and the runtime: the text, of which `digest_of` is the name.

        Raises InvalidRequirements, in uv's words, if nothing does, and ResolverAway.
        """
        text = "\n".join([*requirements, *NEEDED])
        async with self._turns:
            code, out, said = await _run(_command(*_LOCKED), text, self._seconds)
            if code:
                raise _refusal(last_words(said.decode(errors="replace"), _LINES))
            try:
                packages = read_lock(out.decode())
            except InvalidLock as error:
                raise InvalidRequirements(f"cannot be locked: {error}") from error
            if self._max_bytes is not None:
                await self._require_size(packages, self._max_bytes)
        return write_lock(packages)

    async def _require_size(self, packages: tuple[Locked, ...], most: int) -> None:
        """Refuse, before anything is fetched, what an index says is too large. Not each one says it."""
        pinned = "\n".join(map(str, packages))
        code, out, _ = await _run(_command(*_WITH_SIZES), pinned, self._seconds)
        sizes = {} if code else _sizes(out.decode())
        if sum(sizes.values()) <= most:
            return
        largest = sorted(sizes, key=lambda name: -sizes[name])[:_NAMED]
        named = ", ".join(f"{name} {sizes[name] / _GIB:.2f}" for name in largest)
        raise InvalidRequirements(
            f"are too large: {sum(sizes.values()) / _GIB:.2f} GiB to fetch ({named}), and the packages of "
            f"one version may have {most / _GIB:.2f} GiB: require fewer, or smaller ones."
        )


def _sizes(lock: str) -> dict[str, int]:
    """Return the bytes of the wheel that would be installed of each package, as far as the index says."""
    try:
        packages = tomllib.loads(lock)["packages"]
        return {each["name"]: max(wheel.get("size", 0) for wheel in each["wheels"]) for each in packages}
    except (tomllib.TOMLDecodeError, LookupError, TypeError, ValueError):
        return {}


def _command(*options: str) -> list[str]:
    try:
        uv = find_uv()
    except EnvironmentUnavailable as error:
        raise ResolverAway(str(error)) from error
    versions = ["--python", sys.executable, "--python-version", BESIDE_OWN.python]
    return [uv, "pip", "compile", *_OPTIONS, *options, *versions, "-"]


async def _run(command: list[str], text: str, seconds: float) -> tuple[int, bytes, bytes]:
    try:
        async with asyncio.timeout(seconds):
            # uv reads the settings of the project that it is started in: here is none.
            return await run(command, text.encode(), os.sep)
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
