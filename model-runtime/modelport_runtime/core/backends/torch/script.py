"""TorchScript: it names its arguments, and no more; what they are its first layers show, or a sample."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from modelport_runtime.core.backends.onnx.declared import Declared
from modelport_runtime.core.backends.onnx.session_backend import SessionBackend, SessionParts
from modelport_runtime.core.backends.torch.layers import Taken, inputs_of
from modelport_runtime.core.backends.torch.program import ROUNDING, Size, declared
from modelport_runtime.core.backends.torch.tensors import name_of, to_array, to_tensor
from modelport_runtime.core.interpretations import refined
from modelport_runtime.core.samples import in_order
from modelport_runtime.core.signature import Signature
from modelport_runtime.core.types import LoadError, Outputs

_ROWS = "rows"
_FREE_SIZES = (1, 8, 32, 64)
_ADVICE = (
    "Upload it with a sample, one row of your own data: a list of numbers, or an object of its inputs by "
    "name. Or save it with torch.export, which keeps the shapes."
)


class ScriptBackend:
    """Loads the file. Raises `LoadError`, or whatever TorchScript raises."""

    def __init__(self, path: Path, libraries: dict[str, str]) -> None:
        self.libraries = libraries
        try:
            self._module = torch.jit.load(str(path), map_location="cpu").eval()
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[0]
            raise LoadError(
                "CorruptArtifact", f"PyTorch {torch.__version__} cannot load the TorchScript: {reason}"
            ) from error
        self._served: SessionBackend | None = None

    @property
    def signature(self) -> Signature:
        return self._backend.signature

    @property
    def _backend(self) -> SessionBackend:
        if self._served is None:
            self._served = self._read(None)
        return self._served

    def readings(self, row: Any) -> Iterator[tuple[Signature, "ScriptBackend"]]:
        """Return the one signature. What neither layers nor the sample `row` show is refused."""
        self._served = self._read(row)
        yield refined(self.signature, row), self

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        return self._backend.assembler(signature)

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        return self._backend.predict(inputs, wanted)

    def _read(self, row: Any) -> SessionBackend:
        taken = [_with_sample(each, row) for each in self._taken(row)]
        return SessionBackend(
            SessionParts(ScriptSession(self._module, taken), kind="PyTorch", rounding=ROUNDING),
            self.libraries,
        )

    def _taken(self, row: Any) -> list[Taken]:
        taken = inputs_of(self._module)
        if len(taken) == 1 and not (isinstance(row, dict) and taken[0].name in row):
            return [taken[0].shown(_values(row, taken[0].name))]
        return taken


def _values(row: Any, name: str) -> Any:
    """Return the only input's row. Raises `LoadError`."""
    if isinstance(row, dict):
        return list(in_order(row).values())
    if not isinstance(row, list) or not any(isinstance(each, list) for each in row):
        return row
    if len(row) > 1:
        raise LoadError("SampleInvalid", f"A sample of more dimensions has its name: {{{name!r}: [[…]]}}.")
    return row[0]


def _with_sample(taken: Taken, row: Any) -> Taken:
    if isinstance(row, dict) and taken.name in row:
        taken = taken.shown(row[taken.name])
    if taken.shape is None:
        raise LoadError(
            "SampleInvalid", f"TorchScript does not tell the shape of its input {taken.name!r}. {_ADVICE}"
        )
    return taken


class ScriptSession:
    """As a session of ONNX Runtime is used. Its outputs are those of a row of zeros."""

    def __init__(self, module: Any, taken: Sequence[Taken]) -> None:
        self._module, self._taken = module, taken
        self._any_length = any(size is None for each in taken for size in each.shape or ())
        self._inputs = [
            declared(each.name, each.dtype, [_ROWS, *_sizes(each.shape or (), free=False)]) for each in taken
        ]
        self._outputs = self._try_out()

    def get_inputs(self) -> Sequence[Declared]:
        return self._inputs

    def get_outputs(self) -> Sequence[Declared]:
        return self._outputs

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        """Return the outputs named, or all of them. Raises what TorchScript raises."""
        outputs = dict(self._run(feeds))
        return [to_array(outputs[name]) for name in names or outputs]

    def _run(self, feeds: Mapping[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
        given = [to_tensor(feeds[each.name], each.dtype) for each in self._taken]
        with torch.inference_mode():
            return _named(self._module(*given))

    def _try_out(self) -> list[Declared]:
        return [
            declared(name, name_of(given.dtype), [_ROWS, *_sizes(given.shape[1:], free=self._any_length)])
            for name, given in self._outputs_of_zeros()
        ]

    def _outputs_of_zeros(self) -> list[tuple[str, torch.Tensor]]:
        """A convolution takes nothing smaller than itself, and a layer behind it one size alone."""
        for free_size in _FREE_SIZES:
            sizes = {each.name: [size or free_size for size in each.shape or ()] for each in self._taken}
            try:
                return list(self._run({name: np.zeros([1, *shape]) for name, shape in sizes.items()}))
            except RuntimeError as error:
                refused = error
        raise LoadError(
            "SampleInvalid", f"TorchScript refuses inputs of the sizes that were tried. {_ADVICE}"
        ) from refused


def _sizes(shape: Sequence[int | None], *, free: bool) -> list[Size]:
    return [_ROWS if free or size is None else size for size in shape]


def _named(given: Any, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(given, torch.Tensor):
        yield name or "output", given
    elif isinstance(given, dict):
        for key, each in given.items():
            yield from _named(each, f"{name}.{key}" if name else str(key))
    elif isinstance(given, tuple | list):
        for place, each in enumerate(given):
            yield from _named(each, f"{name}.{place}" if name else f"output_{place}")
    elif given is not None:
        raise LoadError(
            "UnsupportedFormat", f"The network returns a {type(given).__name__}, which is no tensor."
        )
