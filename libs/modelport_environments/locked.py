"""The lock of a model's own requirements: every package with its version and the hashes of its wheels."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from modelport_environments.errors import InvalidLock

OWN_PREFIX = "own-"
_DIGITS = 12
MAX_LOCK_BYTES = 1 << 20
_NAME = re.compile(r"([a-z0-9][a-z0-9-]*)==([A-Za-z0-9][A-Za-z0-9.!+_-]*)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Locked:
    """`hashes`: SHA-256 of each wheel that it may be installed from, hexadecimal."""

    name: str
    version: str
    hashes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def read_lock(text: str) -> tuple[Locked, ...]:
    """Return what a lock lists. Raises InvalidLock: whatever is no version with hashes is no part of one."""
    if len(text.encode()) > MAX_LOCK_BYTES:
        raise InvalidLock(f"The lock has more than {MAX_LOCK_BYTES >> 20} MiB.")
    return tuple(_entry(words) for words in _entries(text))


def write_lock(packages: tuple[Locked, ...]) -> str:
    """Return the text that pip and uv read, and nothing but what was read."""
    return "".join(
        " \\\n    ".join([str(each), *(f"--hash=sha256:{digest}" for digest in each.hashes)]) + "\n"
        for each in packages
    )


def digest_of(lock: str) -> str:
    """Return the SHA-256 of a lock's text, in 64 hexadecimal digits."""
    return hashlib.sha256(lock.encode()).hexdigest()


def own_name(sha256: str) -> str:
    """Return the name of the environment that a lock with this digest makes."""
    return f"{OWN_PREFIX}{sha256[:_DIGITS]}"


def _entries(text: str) -> Iterator[list[str]]:
    for line in text.replace("\\\n", " ").splitlines():
        words = line.partition(" #")[0].split()
        if words and not words[0].startswith("#"):
            yield words


def _entry(words: list[str]) -> Locked:
    found = _NAME.fullmatch(words[0])
    hashes = [_HASH.fullmatch(each) for each in words[1:]]
    if found is None or not hashes:
        raise _no_entry(words)
    digests = tuple(each[1] for each in hashes if each)
    if len(digests) < len(hashes):
        raise _no_entry(words)
    return Locked(found[1], found[2], digests)


def _no_entry(words: list[str]) -> InvalidLock:
    shown = " ".join(words)[:80]
    return InvalidLock(f"The lock holds {shown!r}, which is no version of a package with hashes.")
