"""An exported function as a session of tensors: see `onnx.session_backend`."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import export

from modelport_runtime.core.backends.onnx.declared import Declared, declared
from modelport_runtime.core.types import LoadError

ROUNDING = 1e-4
"""How far a row's prediction in a batch may be from that alone: sums of 32-bit numbers in another order."""
_CALL = re.compile(r"stablehlo\.custom_call @([\w.$]+)")
# What JAX writes for sizes that are free, which computes nothing.
_CHECKS = {"shape_assertion"}


class ExportedSession:
    """The function, compiled once for each number of rows: that is the next power of two, so for few."""

    def __init__(self, exported: Any) -> None:
        self._tree = exported.in_tree
        self._inputs = _declared(exported.in_tree, exported.in_avals, "input")
        self._outputs = _declared(exported.out_tree, exported.out_avals, "output")
        self._call = jax.jit(exported.call)
        firsts = {each.shape[0] for each in self._inputs if each.shape}
        # Of one free size alone it is known that it counts rows.
        self._rows = firsts.pop() if len(firsts) == 1 else None

    @classmethod
    def read(cls, path: Path) -> "ExportedSession":
        """Raises `LoadError` (CorruptArtifact, UnsupportedFormat)."""
        # Else numbers of 64 bits would be made into those of 32.
        jax.config.update("jax_enable_x64", True)
        try:
            exported = export.deserialize(bytearray(path.read_bytes()))
            calls = set(_CALL.findall(str(exported.mlir_module()))) - _CHECKS
        except MemoryError:
            raise
        except Exception as error:
            reason = next(iter(f"{type(error).__name__}: {error}".splitlines()))
            raise LoadError(
                "CorruptArtifact", f"JAX {jax.__version__} cannot read the file: {reason}"
            ) from error
        if calls:
            raise LoadError(
                "UnsupportedFormat",
                f"The function calls code that is not in the file ({', '.join(sorted(calls))[:200]}), which "
                "is never run here. Export one of JAX's own operations alone, without linear algebra of the "
                "processor's library.",
            )
        return cls(exported)

    def get_inputs(self) -> Sequence[Declared]:
        return self._inputs

    def get_outputs(self) -> Sequence[Declared]:
        return self._outputs

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        """Return the outputs named, or all of them. Raises what XLA raises."""
        given = [np.asarray(feeds[each.name]) for each in self._inputs]
        count = len(given[0]) if isinstance(self._rows, str) else 0
        args, kwargs = jax.tree_util.tree_unflatten(self._tree, [_filled(each, count) for each in given])
        leaves = jax.tree_util.tree_leaves(self._call(*args, **kwargs))
        outputs = {
            each.name: self._cut(each, np.asarray(leaf), count)
            for each, leaf in zip(self._outputs, leaves, strict=True)
        }
        return [outputs[name] for name in names or outputs]

    def _cut(self, declared: Declared, array: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, Any]:
        is_of_rows = count and declared.shape and declared.shape[0] == self._rows
        # Copied: the array may be XLA's own memory.
        return np.array(array[:count] if is_of_rows else array)


def _filled(array: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, Any]:
    """Repeat the last row until there are as many as the next power of two."""
    more = (1 << (count - 1).bit_length()) - count if count else 0
    return np.concatenate([array, np.repeat(array[-1:], more, axis=0)]) if more else array


def _declared(tree: Any, avals: Sequence[Any], alone: str) -> list[Declared]:
    """Name the tensors by keys and places; the arguments' own names are not in the file."""
    numbered = jax.tree_util.tree_unflatten(tree, range(len(avals)))
    if alone == "input":
        args, kwargs = numbered
        numbered = {**dict(enumerate(args)), **kwargs} if len(args) != 1 or kwargs else args[0]
    paths = jax.tree_util.tree_flatten_with_path(numbered)[0]
    names = {place: _name(path, alone) for path, place in paths}
    return [declared(names[place], str(aval.dtype), _shape(aval)) for place, aval in enumerate(avals)]


def _name(path: Sequence[Any], alone: str) -> str:
    keys = [getattr(key, "key", getattr(key, "idx", getattr(key, "name", key))) for key in path]
    if not keys:
        return alone
    first = keys[0] if isinstance(keys[0], str) else f"{alone}_{keys[0]}"
    return ".".join(map(str, [first, *keys[1:]]))


def _shape(aval: Any) -> list[int | str]:
    return [size if isinstance(size, int) else str(size) for size in aval.shape]
