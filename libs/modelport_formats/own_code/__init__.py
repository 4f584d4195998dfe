"""Python code of a user's own, alone or beside a model file, as one file: a packed archive.

It is written by the control API from what was uploaded, and unpacked by the init container.
"""

from modelport_formats.packed import begins_with

MANIFEST = ".modelport.json"
"""The archive's first member: which of the others is imported, and which is the model file."""


def is_archive(head: bytes) -> bool:
    """Return whether a file that begins so, with 64 bytes or more, is such an archive."""
    return begins_with(head, MANIFEST)
