"""The weights of an exported program as tensors of PyTorch."""

from pathlib import Path

import torch

from modelport_runtime.core.backends.torch import archive
from modelport_runtime.core.backends.torch.archive import NotPlain, Raw

__all__ = ["NotPlain", "read"]


def read(path: Path) -> dict[str, torch.Tensor]:
    """Return the weights and constants by their names in the network. Raises NotPlain."""
    found: dict[str, torch.Tensor] = {}
    flat: dict[str, torch.Tensor] = {}
    for name, raw in archive.read(path):
        if raw.file not in flat:
            flat[raw.file] = _flat(raw)
        found[name] = _laid_out(flat[raw.file], raw)
    return found


def _flat(raw: Raw) -> torch.Tensor:
    dtype = getattr(torch, raw.dtype)
    return (
        torch.frombuffer(bytearray(raw.content), dtype=dtype) if raw.content else torch.empty(0, dtype=dtype)
    )


def _laid_out(flat: torch.Tensor, raw: Raw) -> torch.Tensor:
    if not flat.numel():
        return torch.zeros(raw.sizes, dtype=flat.dtype)
    return flat.as_strided(raw.sizes, raw.strides, raw.offset)
