"""Keras' two formats and TensorFlow's: whether a file is a whole model, by names in it alone."""

import re
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from modelport_formats import archives
from modelport_formats.errors import DamagedFile, FormatError, UnknownFormat
from modelport_formats.signatures import HDF5

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
GRAPH = "saved_model.pb"
_WHOLE = "Save the whole model: model.save('model.keras')."
_BLOCK_BYTES = 1 << 16
_MAX_METADATA = 64 << 10
# Version of the superblock → where it says how long the file is, if offsets have eight bytes.
_END_OF_HDF5 = {0: 40, 1: 44, 2: 28, 3: 28}
_KERAS_VERSION = re.compile(rb'"keras_version"\s*:\s*"(\d[\w.+-]{0,39})"')
_VERSION_OF_HDF5 = re.compile(rb"keras_version.{0,200}?(\d{1,3}\.\d{1,4}\.[\w.+-]{1,20})", re.DOTALL)


def check_archive(file: BinaryIO, names: Sequence[str]) -> None:
    """Raise DamagedFile or UnknownFormat for a `.keras` archive that lacks a part."""
    if CONFIG not in names:
        raise UnknownFormat(f"The file is a zip archive with Keras' weights and no {CONFIG}. {_WHOLE}")
    with archives.opened(file) as archive:
        damaged = archive.getinfo(CONFIG).file_size == 0
    if damaged:
        raise DamagedFile(f"The file is a Keras model, but its {CONFIG} is empty.")


def check_hdf5(file: BinaryIO, size: int) -> None:
    """Raise DamagedFile for a cut file, UnknownFormat for one without a model.

    HDF5 is not parsed: an attribute's name stands in the file as it is, and one that holds none of Keras'
    `model_config` is no model. One that only has the word somewhere is found out when it is loaded.
    """
    file.seek(0)
    head = file.read(64)
    place = _END_OF_HDF5.get(head[8]) if len(head) > 48 else None
    if len(head) <= 48 or (place is not None and struct.unpack_from("<Q", head, place)[0] > size):
        raise DamagedFile("The file is an HDF5 file and cut short.")
    if not _holds(file, b"model_config"):
        has_weights = _holds(file, b"layer_names") or _holds(file, b"vars")
        what = "weights alone and no model" if has_weights else "no Keras model"
        raise UnknownFormat(f"The file is an HDF5 file with {what} in it. {_WHOLE}")


def saved_model_folder(names: Iterable[str]) -> str:
    """Return the folder in which a SavedModel lies, "" or with its slash. Raises UnknownFormat for none."""
    found = {name[: -len(GRAPH)] for name in names if name == GRAPH or name.endswith(f"/{GRAPH}")}
    if len(found) > 1:
        raise UnknownFormat(f"The archive holds several models ({GRAPH}): pack the folder of one of them.")
    if not found:
        raise UnknownFormat(
            f"The archive holds no model that Modelport knows: a TensorFlow SavedModel has a {GRAPH} in its "
            "folder, MLflow's an MLmodel, MLServer's a model-settings.json, Hugging Face's a config.json."
        )
    return found.pop()


def version(path: Path) -> dict[str, str]:
    """Return the version of Keras that a `.keras` archive or an HDF5 file names."""
    try:
        with path.open("rb") as file:
            if file.read(len(HDF5)) == HDF5:
                file.seek(0)
                match = _VERSION_OF_HDF5.search(file.read(1 << 20))
            else:
                match = _KERAS_VERSION.search(archives.read(file, METADATA, _MAX_METADATA))
    except (FormatError, KeyError):
        return {}
    return {"keras": match[1].decode()} if match else {}


def _holds(file: BinaryIO, word: bytes) -> bool:
    file.seek(0)
    before = b""
    while block := file.read(_BLOCK_BYTES):
        if word in before + block:
            return True
        before = block[-len(word) :]
    return False
