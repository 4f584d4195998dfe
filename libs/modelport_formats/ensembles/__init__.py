"""An ensemble, versions joined to be one, as one file: a packed archive of their files.

It is written by the control API from files of its store, and unpacked by the init container.
"""

from modelport_formats.packed import begins_with

MANIFEST = ".modelport-ensemble.json"
"""The archive's first member: which versions the others are, and how they are joined."""


def is_ensemble(head: bytes) -> bool:
    """Return whether a file that begins so, with 64 bytes or more, is such an archive."""
    return begins_with(head, MANIFEST)
