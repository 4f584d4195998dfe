"""Folders of Transformers in one file: a zip that the control API makes of what it takes from an upload.

The init container unpacks it beside the file: the library reads folders.
"""

from modelport_formats.signatures import ZIP

MARKER = ".modelport-folder"
"""The archive's first member, which is empty."""
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
_NAME_AT = 30


def is_packed(head: bytes) -> bool:
    """Return whether a file that begins so, with 64 bytes or more, is such a zip."""
    return head.startswith(ZIP) and head[_NAME_AT:].startswith(MARKER.encode())
