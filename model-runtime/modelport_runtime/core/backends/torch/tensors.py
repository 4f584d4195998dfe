"""Arrays as tensors of PyTorch, and back."""

from typing import Any

import numpy as np
import torch


def to_tensor(values: np.ndarray[Any, Any], dtype: str) -> torch.Tensor:
    """Return a tensor of the type that PyTorch calls so."""
    return torch.from_numpy(np.ascontiguousarray(values)).to(getattr(torch, dtype))


def to_array(given: torch.Tensor) -> np.ndarray[Any, Any]:
    """Return an array of its own: a program may give its input back."""
    if given.dtype is torch.bfloat16:
        given = given.to(torch.float32)
    return np.array(given.detach().numpy())


def name_of(dtype: torch.dtype) -> str:
    """Return PyTorch's name of the type, without the module."""
    return str(dtype).removeprefix("torch.")
