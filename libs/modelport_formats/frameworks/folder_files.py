"""Folders that a library reads as such, in one file: a zip that the control API makes of what it takes.

The init container unpacks it beside the file.
"""

from modelport_formats.signatures import ZIP, Format

MARKS = {Format.TRANSFORMERS: ".modelport-folder", Format.AUTOGLUON: ".modelport-predictor"}
"""The archive's first member, which is empty."""
_NAME_AT = 30


def marked_as(head: bytes) -> Format | None:
    """Return which folder a file that begins so, with 64 bytes or more, is; None: it is none."""
    length = int.from_bytes(head[26:28], "little")
    name = head[_NAME_AT : _NAME_AT + length] if head.startswith(ZIP) else b""
    return next((kind for kind, mark in MARKS.items() if mark.encode() == name), None)
