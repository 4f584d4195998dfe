"""Passwords: what one must be, and how it is hashed: in threads of its own, and as slow for an unknown
user.
"""

import asyncio
import hashlib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import bcrypt

_DIGEST_CHARACTERS = 31


class Passwords:
    """`threads` bounds what a flood of logins takes: bcrypt frees the GIL, so each keeps one core busy."""

    def __init__(self, *, rounds: int, threads: int) -> None:
        self._rounds = rounds
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="modelport-password")
        # Checked for users that do not exist; of the same cost, so that the time reveals nothing. It is no
        # password's hash, which would take a third of a second of each start.
        self._nobodys_hash = bcrypt.gensalt(rounds).decode() + "." * _DIGEST_CHARACTERS

    async def hash(self, password: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.hash_now, password)

    async def matches(self, password: str, password_hash: str | None) -> bool:
        """`password_hash` None: there is no such user. The result is then no, at the same cost."""
        is_match = await asyncio.get_running_loop().run_in_executor(
            self._threads, check, password, password_hash or self._nobodys_hash
        )
        return is_match and password_hash is not None

    def hash_now(self, password: str) -> str:
        """For callers without an event loop."""
        return bcrypt.hashpw(_digest(password), bcrypt.gensalt(self._rounds)).decode()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def check(password: str, password_hash: str) -> bool:
    """Whether it is the password. Takes a tenth of a second of CPU or more: not for the event loop."""
    return bcrypt.checkpw(_digest(password), password_hash.encode())


def _digest(password: str) -> bytes:
    # bcrypt reads 72 bytes and stops at a zero byte; base64 of a digest has 44 and none, and the
    # password counts whole.
    return b64encode(hashlib.sha256(password.encode()).digest())


MIN_CHARACTERS = 8
# Longer ones only cost us time; no password manager makes them.
MAX_CHARACTERS = 1024

# The passwords tried first by everyone, as leaked lists have them, of 8 characters and more.
_COMMON = frozenset(
    # Written as text: a list of a hundred quoted words is harder to read.
    """
    password password1 password12 password123 password1234 passw0rd p@ssw0rd p@ssword p@ssword1
    p@ssw0rd1 12345678 123456789 1234567890 123123123 11111111 00000000 87654321 987654321 1q2w3e4r
    1q2w3e4r5t 1qaz2wsx qwertyui qwertyuiop qwerty12 qwerty123 qwerty1234 asdfghjkl zaq12wsx
    iloveyou iloveyou1 sunshine princess football baseball superman batman123 trustno1 welcome1
    welcome123 letmein1 letmein123 abcd1234 abc12345 a1b2c3d4 administrator admin123 admin1234
    changeme changeme1 changeme123 secret123 starwars whatever computer internet michelle jennifer
    corvette mercedes maverick liverpool
    """.split()  # noqa: SIM905 - for the reason above
)


def broken_rules(password: str, email: str) -> list[str]:
    """Return each rule that the password breaks, for users; empty if it is good."""
    lowered = password.casefold()
    name = email.partition("@")[0]
    rules = {
        f"must have at least {MIN_CHARACTERS} characters": len(password) < MIN_CHARACTERS,
        f"must have at most {MAX_CHARACTERS} characters": len(password) > MAX_CHARACTERS,
        "must not be one of the passwords that are guessed first": lowered in _COMMON,
        "must not repeat one character": len(set(lowered)) == 1,
        "must not contain the e-mail address": email in lowered or (len(name) >= 4 and name in lowered),
    }
    return [rule for rule, is_broken in rules.items() if is_broken]
