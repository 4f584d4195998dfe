"""An exported program as a session: named arrays in, arrays out in the order of its outputs."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import torch
from modelport_formats.frameworks import torch_files

from modelport_runtime.core.backends.onnx.declared import Declared
from modelport_runtime.core.backends.onnx.session_backend import SessionParts
from modelport_runtime.core.backends.torch import archive, weights
from modelport_runtime.core.backends.torch.plain import PlainModule
from modelport_runtime.core.backends.torch.program import ROUNDING, Program, read
from modelport_runtime.core.backends.torch.tensors import to_array, to_tensor
from modelport_runtime.core.rows import reject
from modelport_runtime.core.types import LoadError

log = logging.getLogger(__name__)

_Module = Callable[[Sequence[Any]], list[torch.Tensor]]
# Also what a damaged file is met with: PyTorch's own loader says whether it is one.
_NOT_PLAIN = (
    weights.NotPlain, AttributeError, LookupError, TypeError, ValueError, RuntimeError, BadZipFile,
)  # fmt: skip


def parts_of(path: Path) -> SessionParts:
    """Load the program. Raises `LoadError`, or whatever the file's own code raises."""
    program = read(torch_files.program(path))
    return SessionParts(
        ExportedSession(program, _module(path, program)),
        is_recurrent=program.is_recurrent,
        most_rows=program.most_rows,
        kind="PyTorch",
        rounding=ROUNDING,
        network=lambda: _network(path, program),
    )


def _network(path: Path, program: Program) -> Any:
    from modelport_runtime.core.acceleration.converters.blocks import NotConverted
    from modelport_runtime.core.acceleration.networks.converters import torch_programs

    try:
        return torch_programs.convert(program, archive.arrays(path))
    except archive.NotPlain as why:
        raise NotConverted(f"The program holds {why}.") from why


def _module(path: Path, program: Program) -> _Module:
    try:
        return PlainModule(program, weights.read(path))
    except _NOT_PLAIN as why:
        log.info("read_by_torch", extra={"detail": str(why)})
        return _by_torch(path, program)


def _by_torch(path: Path, program: Program) -> _Module:
    from torch.export.pt2_archive._package import load_pt2

    try:
        module = load_pt2(str(path)).exported_programs["model"].module()
    except MemoryError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise LoadError(
            "CorruptArtifact", f"PyTorch {torch.__version__} cannot load the exported program: {reason}"
        ) from error

    def call(given: Sequence[Any]) -> list[torch.Tensor]:
        positional, named = program.arguments(given)
        return list(_leaves(module(*positional, **named)))

    return call


class ExportedSession:
    """As a session of ONNX Runtime is used."""

    def __init__(self, program: Program, module: _Module) -> None:
        self._program, self._module = program, module
        self._inputs = [each.tensor for each in program.inputs if each.tensor is not None]

    def get_inputs(self) -> Sequence[Declared]:
        return self._inputs

    def get_outputs(self) -> Sequence[Declared]:
        return self._program.outputs

    def run(self, names: Sequence[str] | None, feeds: Mapping[str, Any]) -> list[Any]:
        """Return the outputs named, or all of them. Raises `Rejected`, or what the network raises."""
        self._check_sizes(feeds)
        given = [
            to_tensor(feeds[each.name], each.dtype) if each.dtype is not None else each.value
            for each in self._program.inputs
        ]
        with torch.inference_mode():
            leaves = self._module(given)
        outputs = {each.name: leaf for each, leaf in zip(self._program.outputs, leaves, strict=True)}
        return [to_array(outputs[name]) for name in names or outputs]

    def _check_sizes(self, feeds: Mapping[str, Any]) -> None:
        """PyTorch's own module checks them; what is computed here is not guarded."""
        for name, limits in self._program.limits.items():
            for limit in limits:
                if message := limit.message(feeds[name].shape[limit.axis]):
                    raise reject(name, message)


def _leaves(given: Any) -> Iterator[torch.Tensor]:
    if isinstance(given, torch.Tensor):
        yield given
        return
    for each in given.values() if isinstance(given, dict) else given:
        yield from _leaves(each)
