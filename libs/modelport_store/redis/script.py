"""A script on its way to Redis: called by its digest, and whole only to a server that does not know it."""

import hashlib
from dataclasses import dataclass

from modelport_store.redis.resp import pack


@dataclass(frozen=True, slots=True)
class RedisScript:
    """Both ways begin a packed command, after its count of arguments and before its number of keys."""

    by_digest: bytes
    whole: bytes

    @classmethod
    def of(cls, text: str) -> "RedisScript":
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        return cls(pack("EVALSHA", digest), pack("EVAL", text))

    def teaching(self, command: bytes) -> bytes:
        """The same command, with the script in it."""
        return command.replace(self.by_digest, self.whole, 1)
