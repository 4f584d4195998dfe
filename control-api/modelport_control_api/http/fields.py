"""Types of request fields that several slices share."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def _refuse_control_characters(text: str) -> str:
    # PostgreSQL refuses a zero byte in text; the others would garble logs and terminals.
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("must not contain control characters")
    return text


Line = Annotated[str, AfterValidator(_refuse_control_characters)]
"""Text of one line, as people type it."""


class RequestBody(BaseModel):
    """A field that we do not know is a mistake of the caller's: we say so instead of ignoring it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)
