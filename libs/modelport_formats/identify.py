"""What a model file is, or why it is none: its beginning must be that of a model, and its end be there."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from modelport_formats import archives, folders, pickles
from modelport_formats.compression import Decompressor
from modelport_formats.ensembles import MANIFEST as ENSEMBLE
from modelport_formats.ensembles import is_ensemble
from modelport_formats.errors import DamagedFile, FormatError, UnknownFormat
from modelport_formats.frameworks import jax_files, keras, statsmodels, torch_files
from modelport_formats.frameworks.folder_files import MARKS, marked_as
from modelport_formats.frameworks.onnx import is_onnx
from modelport_formats.native import xgboost_binary_version
from modelport_formats.own_code import MANIFEST, is_archive, sources
from modelport_formats.signatures import (
    CATBOOST_MODEL,
    ZIP,
    Compression,
    Format,
    begins_as,
    begins_as_model,
    compression_of,
    describe_unknown,
)

_HEAD_BYTES = 2 << 20
_TAIL_BYTES = 128
_BLOCK_BYTES = 1 << 16
# What the platform made itself is told by the first member.
_MARKED = {
    MANIFEST: Format.OWN_CODE,
    ENSEMBLE: Format.ENSEMBLE,
    **{mark: kind for kind, mark in MARKS.items()},
}
# XGBoost writes its keys in order: the version comes last. Others may write it first or not at all.
_END_OF_XGBOOST = re.compile(rb"(version.{0,64}|\}\s*)\}\s*$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Identified:
    """`first_class`: the class of the model, with its module or as this alone, where the format names one.

    `container`: `dict`, `list` or `set`, where a pickle holds one of these instead of an object.
    """

    format: Format
    first_class: str | None = None
    compression: Compression | None = None
    container: str | None = None


def identify(path: Path) -> Identified:
    """Return what the file is. Raises UnknownFormat or DamagedFile. Blocking."""
    with path.open("rb") as file:
        return _identify(file, path.stat().st_size)


def format_of(path: Path) -> Format:
    """Return the format that a runtime reads the file in, by its beginning and by names in an archive.

    It need not be whole: what is damaged is taken for what it begins as. Blocking. Raises OSError.
    """
    with path.open("rb") as file:
        head = file.read(_BLOCK_BYTES)
        try:
            if folders.is_tar(head) or folders.is_compressed_tar(file):
                return Format.SAVED_MODEL
            if (packed := _packed_as(head)) is not None:
                return packed
            if head.startswith(ZIP):
                return _format_of_zip(file, path.stat().st_size)
        except FormatError:
            return Format.PICKLE
    return Format.JAX if jax_files.is_exported(head) else begins_as(head)


def _packed_as(head: bytes) -> Format | None:
    """Return which of the platform's own archives a file is; None: it is another."""
    if is_archive(head):
        return Format.OWN_CODE
    if is_ensemble(head):
        return Format.ENSEMBLE
    return marked_as(head)


def _format_of_zip(file: BinaryIO, size: int) -> Format:
    found = archives.format_of(archives.names(file))
    if found is Format.SKOPS and torch_files.kind_of(file, size) is not None:
        return Format.TORCH
    return found


def _identify(file: BinaryIO, size: int) -> Identified:
    head = file.read(_HEAD_BYTES)
    if not head:
        raise DamagedFile("The file is empty.")
    if (told := _by_its_structure(file, head, size)) is not None:
        return told
    torch_files.refuse_weights(head)
    if compression := compression_of(head):
        file.seek(0)
        return _compressed(file, compression, size)
    found = begins_as(head)
    if found is Format.SKOPS:
        return _zip(file, size)
    if found in (Format.ONNX, Format.PICKLE):
        return _without_magic(file, head, size)
    _check(file, head, size, found)
    return Identified(found)


def _without_magic(file: BinaryIO, head: bytes, size: int) -> Identified:
    """Of these the first bytes say little."""
    if is_onnx(file, size):
        return Identified(Format.ONNX)
    if size <= len(head) and sources.looks_like_code(head):
        sources.require_model(head)
        return Identified(Format.OWN_CODE)
    return _pickle(file, head, size)


def _by_its_structure(file: BinaryIO, head: bytes, size: int) -> Identified | None:
    """Return what of the formats begins with no bytes of its own; None: it is another."""
    if jax_files.is_exported(head):
        jax_files.check(head, size)
        return Identified(Format.JAX)
    return _folder(file, size) if folders.is_tar(head) else None


def _check(file: BinaryIO, head: bytes, size: int, found: Format) -> None:
    """Raise UnknownFormat or DamagedFile for what only begins as a file of the format."""
    match found:
        case Format.KERAS_HDF5:
            keras.check_hdf5(file, size)
        case Format.XGBOOST_BINARY:
            if not xgboost_binary_version(head):
                raise DamagedFile("The file begins as an XGBoost model in the binary format and is none.")
        case Format.CATBOOST:
            if is_cut_catboost(head, size):
                raise DamagedFile("The file begins as a CatBoost model and is cut short.")
        case _:
            if not begins_as_model(head, found):
                raise UnknownFormat(describe_unknown(head))
            _check_end(file, found)


def _zip(file: BinaryIO, size: int) -> Identified:
    names = archives.names(file)
    if names and names[0] in _MARKED:
        return Identified(_MARKED[names[0]])
    match archives.format_of(names):
        case Format.SKOPS if "schema.json" not in names and (root := sources.root_of(names)) is not None:
            text = archives.read(file, f"{root}{sources.ENTRY}", sources.MAX_MODULE_BYTES)
            sources.require_model(text, sources.ENTRY)
            return Identified(Format.OWN_CODE)
        case Format.KERAS:
            keras.check_archive(file, names)
            return Identified(Format.KERAS)
        case Format.SAVED_MODEL:
            return _folder(file, size)
        case _ if torch_files.kind_of(file, size) is not None:
            return Identified(Format.TORCH)
        case _:
            return Identified(Format.SKOPS, archives.skops_module(file))


def _folder(file: BinaryIO, size: int) -> Identified:
    """A folder in one file: of those, TensorFlow's are read."""
    keras.saved_model_folder(member.name for member in folders.members(file, size))
    return Identified(Format.SAVED_MODEL)


def _compressed(file: BinaryIO, compression: Compression, size: int) -> Identified:
    plain = Decompressor(file, compression)
    head = plain.read_all(_HEAD_BYTES)
    if compression is Compression.GZIP and folders.is_tar(head):
        return _folder(file, size)
    if not head:
        raise DamagedFile(f"The file is compressed with {compression}, but holds nothing or is cut short.")
    whole = len(head) < _HEAD_BYTES
    try:
        found = pickles.first_class(head, whole=whole)
    except pickles.NotAPickle:
        raise UnknownFormat(
            f"The file is compressed with {compression}, but what it holds is no pickle. "
            "Only pickles may be compressed: unpack the file, and upload what was in it."
        ) from None
    except pickles.PickleCutShort:
        raise _cut_pickle(compression) from None
    if plain.cut_short or (whole and not _ends(head, head, whole=True)):
        raise _cut_pickle(compression)
    torch_files.refuse_network(found)
    statsmodels.refuse_series(found)
    return Identified(Format.PICKLE, found, compression, pickles.container(head))


def _cut_pickle(compression: Compression) -> DamagedFile:
    return DamagedFile(f"The file is a pickle compressed with {compression}, and cut short.")


def _pickle(file: BinaryIO, head: bytes, size: int) -> Identified:
    whole = size <= len(head)
    try:
        found = pickles.first_class(head, whole=whole)
    except pickles.NotAPickle:
        raise UnknownFormat(describe_unknown(head)) from None
    except pickles.PickleCutShort:
        raise DamagedFile("The file begins as a pickle and is cut short.") from None
    if not _ends(head, _tail(file), whole=whole):
        if pickles.looks_binary_pickle(head):
            raise DamagedFile("The file begins as a pickle and is cut short.")
        raise UnknownFormat(describe_unknown(head))
    torch_files.refuse_network(found)
    statsmodels.refuse_series(found)
    return Identified(Format.PICKLE, found, container=pickles.container(head))


def _ends(head: bytes, tail: bytes, *, whole: bool) -> bool:
    """A pickle ends with STOP, whatever arrays joblib wrote in between: the cheapest sign of a cut.

    What follows STOP is ignored; so it may lie before the file's end. `whole`: the head is all there is.
    """
    stop_is_last = tail.endswith(b".")
    if stop_is_last and not (whole and pickles.can_be_walked(head)):
        return True
    reached = pickles.reaches_its_end(head)
    return stop_is_last if reached is None else reached


def _check_end(file: BinaryIO, native: Format) -> None:
    if native is Format.LIGHTGBM:
        if is_cut_lightgbm(file):
            raise DamagedFile("The file begins as a LightGBM model and is cut short.")
    elif not _END_OF_XGBOOST.search(_tail(file)):
        raise DamagedFile("The file begins as an XGBoost model and is cut short.")


def is_cut_lightgbm(file: BinaryIO) -> bool:
    """Return whether LightGBM's text ends before its trees or parameters: loading it may abort the process.

    Blocking, and in bounded memory.
    """
    return not _holds(file, b"end of trees") or (
        _holds(file, b"\nparameters:") and not _holds(file, b"\nend of parameters")
    )


def is_cut_catboost(head: bytes, size: int) -> bool:
    """Return whether CatBoost's file ends before the trees, whose length follows the first four bytes.

    The tables of categories come after them.
    """
    length = head[len(CATBOOST_MODEL) : len(CATBOOST_MODEL) + 4]
    return len(length) < 4 or size < len(CATBOOST_MODEL) + 4 + int.from_bytes(length, "little")


def _holds(file: BinaryIO, words: bytes) -> bool:
    """Search from the end: what follows the trees is short."""
    at = file.seek(0, os.SEEK_END)
    after = b""
    while at > 0:
        start = max(0, at - _BLOCK_BYTES)
        file.seek(start)
        block = file.read(at - start)
        if words in block + after:
            return True
        at, after = start, block[: len(words)]
    return False


def _tail(file: BinaryIO) -> bytes:
    file.seek(0, os.SEEK_END)
    file.seek(max(0, file.tell() - _TAIL_BYTES))
    return file.read()
