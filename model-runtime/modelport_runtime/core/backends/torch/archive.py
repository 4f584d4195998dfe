"""The weights in an exported program's archive: raw bytes and how they are laid out. Nothing is unpickled,
and PyTorch is not needed.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from modelport_runtime.core.backends.torch.program import DTYPES

_FOLDERS = ("data/weights/", "data/constants/")
_CONFIGS = ("model_weights_config.json", "model_constants_config.json")


class NotPlain(Exception):
    """A program holds something that only PyTorch's own loader reads; the message names it."""


@dataclass(frozen=True)
class Raw:
    """A tensor in the file `content`, of which others may be parts; sizes and strides count numbers."""

    file: str
    content: bytes
    dtype: str
    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int


def read(path: Path) -> Iterator[tuple[str, Raw]]:
    """Yield the weights and constants by their names in the network. Raises NotPlain."""
    with ZipFile(path) as archive:
        # PyTorch puts all members below one folder.
        top = archive.namelist()[0].partition("/")[0]
        if archive.read(f"{top}/byteorder").strip() != b"little":
            raise NotPlain("weights of another byte order")
        for folder, config in zip(_FOLDERS, _CONFIGS, strict=True):
            held = json.loads(archive.read(f"{top}/{folder}{config}"))["config"]
            yield from _tensors(archive, f"{top}/{folder}", held)


def arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Return those of types that NumPy has. Raises NotPlain, or ValueError where bytes are missing."""
    return {name: _array(raw) for name, raw in read(path) if hasattr(np, raw.dtype)}


def _tensors(archive: ZipFile, folder: str, config: Mapping[str, Any]) -> Iterator[tuple[str, Raw]]:
    contents: dict[str, bytes] = {}
    for name, payload in config.items():
        meta = payload["tensor_meta"]
        if payload["use_pickle"] or meta is None:
            raise NotPlain(f"the pickled {name}")
        file = payload["path_name"]
        if file not in contents:
            contents[file] = archive.read(folder + file)
        sizes, strides = (tuple(int(each["as_int"]) for each in meta[key]) for key in ("sizes", "strides"))
        offset = int(meta["storage_offset"]["as_int"])
        yield name, Raw(folder + file, contents[file], DTYPES[meta["dtype"]], sizes, strides, offset)


def _array(raw: Raw) -> np.ndarray[Any, Any]:
    flat = np.frombuffer(raw.content, raw.dtype)
    last = raw.offset + sum((size - 1) * stride for size, stride in zip(raw.sizes, raw.strides, strict=True))
    if 0 in raw.sizes:
        return np.zeros(raw.sizes, raw.dtype)
    if min((*raw.sizes, *raw.strides, raw.offset, 0)) < 0 or last >= len(flat):
        raise ValueError("a weight that reaches out of its file")
    strides = [stride * flat.itemsize for stride in raw.strides]
    return np.lib.stride_tricks.as_strided(flat[raw.offset :], raw.sizes, strides)
