"""What `jax.export` writes: a FlatBuffer, which begins with no magic number and is told by its table.

Its program is StableHLO, in MLIR's own bytes. All of it is only read.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from modelport_formats.errors import DamagedFile, UnknownFormat

_MLIR = b"ML\xefR"
# Places in the table, as jax._src.export.serialization has them.
_VERSION, _NAME, _PLATFORMS, _ORDERED, _UNORDERED, _MODULE = 4, 6, 22, 24, 26, 30
_MAX_ROOT = 4096
_MAX_PLATFORMS = 8
_MAX_NAME = 64
_HOW = (
    ' Export it for the CPU: export.export(jax.jit(f), platforms=("cpu",))(…), and upload what serialize() '
    "returns."
)


def is_exported(head: bytes) -> bool:
    """Return whether the first bytes, of 64 KiB or the whole file, are those of an exported function."""
    try:
        module = _target(head, _MODULE)
        version = _place(head, _VERSION)
    except struct.error:
        return False
    if module is None or version is None:
        return False
    return head[module + 4 : module + 8] == _MLIR


def check(head: bytes, size: int) -> None:
    """Raise DamagedFile, or UnknownFormat for what cannot run here, of an exported function."""
    try:
        # The name is what is written first, and so what the file ends with.
        name = _target(head, _NAME) or 0
        if name >= len(head) and name < size:
            return
        (length,) = struct.unpack_from("<I", head, name)
        platforms = list(_texts(head, _PLATFORMS))
        effects = [_length(head, place) for place in (_ORDERED, _UNORDERED)]
    except struct.error:
        raise DamagedFile("The file begins as a function of jax.export and is cut short.") from None
    # A zero byte ends it.
    if name + 4 + length + 1 > size:
        raise DamagedFile("The file begins as a function of jax.export and is cut short.")
    if "cpu" not in platforms:
        raise UnknownFormat(f"The function was exported by JAX for {', '.join(platforms)} alone.{_HOW}")
    if any(effects):
        raise UnknownFormat(
            "The function has effects, such as callbacks or printing, which nothing here may have. "
            "Export one that computes alone."
        )


def check_at(path: Path) -> None:
    """Check the file at `path`. Blocking. Raises as `check` does, UnknownFormat if it is another, OSError."""
    content = path.read_bytes()
    if not is_exported(content):
        raise UnknownFormat(f"The file is no function of jax.export.{_HOW}")
    check(content, len(content))


def _place(data: bytes, field: int) -> int | None:
    """Return where a field of the root table lies; None: it has none. Raises struct.error."""
    (root,) = struct.unpack_from("<I", data, 0)
    if root > _MAX_ROOT or root % 4:
        return None
    (back,) = struct.unpack_from("<i", data, root)
    table = root - back
    if not 0 <= table <= len(data) - 4:
        return None
    (size,) = struct.unpack_from("<H", data, table)
    if field >= size:
        return None
    (offset,) = struct.unpack_from("<H", data, table + field)
    return root + offset if offset else None


def _target(data: bytes, field: int) -> int | None:
    """Return where what a field points to begins."""
    place = _place(data, field)
    return None if place is None else _followed(data, place)


def _followed(data: bytes, place: int) -> int:
    (offset,) = struct.unpack_from("<I", data, place)
    return place + int(offset)


def _length(data: bytes, field: int) -> int:
    place = _target(data, field)
    return 0 if place is None else int(struct.unpack_from("<I", data, place)[0])


def _texts(data: bytes, field: int) -> Iterator[str]:
    place = _target(data, field)
    for index in range(min(_length(data, field), _MAX_PLATFORMS) if place is not None else 0):
        text = _followed(data, (place or 0) + 4 + 4 * index)
        (length,) = struct.unpack_from("<I", data, text)
        yield data[text + 4 : text + 4 + min(length, _MAX_NAME)].decode("ascii", "replace")
