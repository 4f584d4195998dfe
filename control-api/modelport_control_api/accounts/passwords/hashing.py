"""Hashing passwords: bcrypt, in threads of its own, and as slow for an unknown user as for a known one."""

import asyncio
import hashlib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import bcrypt


class Passwords:
    """`threads` bounds what a flood of logins takes: bcrypt frees the GIL, so each keeps one core busy."""

    def __init__(self, *, rounds: int, threads: int) -> None:
        self._rounds = rounds
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="modelport-password")
        # Checked for users that do not exist; of the same cost, so that the time does not tell.
        self._nobodys_hash = self.hash_now("nobody has this password")

    async def hash(self, password: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.hash_now, password)

    async def matches(self, password: str, password_hash: str | None) -> bool:
        """`password_hash` None: there is no such user. The answer is then no, at the same cost."""
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
    return bcrypt.checkpw(_digest(password), password_hash.encode())


def _digest(password: str) -> bytes:
    # bcrypt reads 72 bytes and stops at a zero byte; base64 of a digest has 44 and none, and the
    # password counts whole.
    return b64encode(hashlib.sha256(password.encode()).digest())
