"""The weights of an exported program: raw bytes and how they are laid out. Nothing is unpickled."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import torch

from modelport_runtime.core.backends.torch.program import DTYPES

_FOLDERS = ("data/weights/", "data/constants/")
_CONFIGS = ("model_weights_config.json", "model_constants_config.json")


class NotPlain(Exception):
    """A program holds something that only PyTorch's own loader reads; the message names it."""


def read(path: Path) -> dict[str, torch.Tensor]:
    """Return the weights and constants by their names in the network. Raises NotPlain."""
    with ZipFile(path) as archive:
        # PyTorch puts all members below one folder.
        top = archive.namelist()[0].partition("/")[0]
        if archive.read(f"{top}/byteorder").strip() != b"little":
            raise NotPlain("weights of another byte order")
        found: dict[str, torch.Tensor] = {}
        for folder, config in zip(_FOLDERS, _CONFIGS, strict=True):
            held = json.loads(archive.read(f"{top}/{folder}{config}"))["config"]
            found |= dict(_tensors(archive, f"{top}/{folder}", held))
        return found


def _tensors(archive: ZipFile, folder: str, config: Mapping[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    flat: dict[str, torch.Tensor] = {}
    for name, payload in config.items():
        meta = payload["tensor_meta"]
        if payload["use_pickle"] or meta is None:
            raise NotPlain(f"the pickled {name}")
        file = payload["path_name"]
        if file not in flat:
            flat[file] = _flat(archive.read(folder + file), getattr(torch, DTYPES[meta["dtype"]]))
        yield name, _laid_out(flat[file], meta)


def _flat(content: bytes, dtype: torch.dtype) -> torch.Tensor:
    return torch.frombuffer(bytearray(content), dtype=dtype) if content else torch.empty(0, dtype=dtype)


def _laid_out(flat: torch.Tensor, meta: Mapping[str, Any]) -> torch.Tensor:
    sizes, strides = ([int(each["as_int"]) for each in meta[key]] for key in ("sizes", "strides"))
    if not flat.numel():
        return torch.zeros(sizes, dtype=flat.dtype)
    return flat.as_strided(sizes, strides, int(meta["storage_offset"]["as_int"]))
