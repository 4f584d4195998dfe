"""Is a zip file a skops model, and what does its schema begin with? The schema is only read as text."""

import io
import re
import struct
import zipfile
import zlib
from typing import BinaryIO

from modelport_control_api.sniff.errors import CorruptArtifact, UnsupportedFormat

_END_OF_DIRECTORY = b"PK\x05\x06"
_END_RECORD_BYTES = 22
_LONGEST_COMMENT_BYTES = 65_535
# A directory of millions of entries fits in an upload and would take gigabytes to list.
_MAX_DIRECTORY_BYTES = 8 << 20
_SCHEMA_HEAD_BYTES = 2 << 20
_MODULE = re.compile(rb'"__module__"\s*:\s*"([\w.]+)"')


def skops_module(file: BinaryIO, size: int) -> str:
    """Give the module of the model's class. Raises UnsupportedFormat (another zip) or CorruptArtifact."""
    _check_directory(file, size)
    head = _schema_head(file)
    module = _MODULE.search(head)
    if module is None:
        raise CorruptArtifact(
            "The file is a zip archive with a schema.json that names no class: not written by skops."
        )
    return module.group(1).decode()


def _check_directory(file: BinaryIO, size: int) -> None:
    file.seek(max(0, size - _END_RECORD_BYTES - _LONGEST_COMMENT_BYTES))
    tail = file.read()
    at = tail.rfind(_END_OF_DIRECTORY)
    if at < 0 or len(tail) - at < _END_RECORD_BYTES:
        raise CorruptArtifact("The file begins as a zip archive (skops) and is cut short.")
    (directory_bytes,) = struct.unpack_from("<I", tail, at + 12)
    if directory_bytes > _MAX_DIRECTORY_BYTES:
        raise UnsupportedFormat("The file is a zip archive with more entries than any skops model has.")


def _schema_head(file: BinaryIO) -> bytes:
    file.seek(0, io.SEEK_SET)
    try:
        with zipfile.ZipFile(file) as archive, archive.open("schema.json") as schema:
            return schema.read(_SCHEMA_HEAD_BYTES)
    except KeyError:
        raise UnsupportedFormat(
            "The file is a zip archive, but not one that skops wrote (it has no schema.json)."
        ) from None
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        RuntimeError,
        NotImplementedError,
        ValueError,
    ) as error:
        # zipfile raises RuntimeError for encrypted entries and NotImplementedError for odd compressions.
        raise CorruptArtifact(f"The file is a zip archive (skops), but damaged: {error}.") from None
