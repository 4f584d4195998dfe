"""Where a list goes on: opaque to callers, and stable while models come and go."""

import base64
import binascii
from datetime import datetime

import msgspec


class CursorInvalid(ValueError):
    """Not a cursor that a list gave."""


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """The last item of the page before."""

    created_at: datetime
    id: str

    def encode(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            cursor = msgspec.json.decode(raw, type=cls)
        except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError) as error:
            raise CursorInvalid("is not a cursor that this list gave; leave it out to begin anew") from error
        if cursor.created_at.tzinfo is None:
            raise CursorInvalid("is not a cursor that this list gave; leave it out to begin anew")
        return cursor
