"""An exported program run node by node: a list of PyTorch's own operators on tensors.

What `ExportedProgram.module()` would call in the same order, without the compiler that comes with it:
importing that takes most of a start, and its loader unpickles what the archive holds.
"""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch

from modelport_runtime.core.backends.torch.program import DTYPES, Program
from modelport_runtime.core.backends.torch.weights import NotPlain

_OPERATORS = "torch.ops.aten."
_OF_SIZES: dict[str, Callable[..., Any]] = {
    f"_operator.{name}": getattr(operator, name)
    for name in ("add", "sub", "mul", "floordiv", "mod", "neg", "eq", "ne", "lt", "le", "gt", "ge")
}
_MEMORY_FORMATS = {
    1: torch.contiguous_format,
    2: torch.channels_last,
    3: torch.channels_last_3d,
    4: torch.preserve_format,
}
_AS_THEY_ARE = {
    "as_int", "as_ints", "as_bool", "as_bools", "as_string", "as_strings", "as_int_lists",
}  # fmt: skip
_KEYWORD = 2
_STRIDED = 7
Values = dict[str, Any]
Get = Callable[[Values], Any]
Step = Callable[[Values], None]


class PlainModule:
    """Called with the values of the program's inputs; gives those of its outputs. Raises NotPlain."""

    def __init__(self, program: Program, weights: Mapping[str, torch.Tensor]) -> None:
        graph, signature = program.held["graph"], program.held["signature"]
        self._constants = dict(_constants(signature["input_specs"], weights))
        self._inputs = [each.name for each in program.inputs]
        self._outputs = [
            each["user_output"]["arg"]["as_tensor"]["name"]
            for each in signature["output_specs"]
            if "user_output" in each
        ]
        self._steps = [_step(node) for node in graph["nodes"]]

    def __call__(self, given: Sequence[Any]) -> list[torch.Tensor]:
        values = {**self._constants, **dict(zip(self._inputs, given, strict=True))}
        for step in self._steps:
            step(values)
        return [values[name] for name in self._outputs]


def _constants(
    specs: Sequence[Mapping[str, Any]], weights: Mapping[str, torch.Tensor]
) -> Iterator[tuple[str, torch.Tensor]]:
    keys = {"parameter": "parameter_name", "buffer": "buffer_name", "tensor_constant": "tensor_constant_name"}
    for spec in specs:
        ((kind, held),) = spec.items()
        if kind in keys:
            yield held["arg"]["name"], weights[held[keys[kind]]]
        elif kind not in ("user_input", "constant_input"):
            raise NotPlain(f"the input {kind}")


def _step(node: Mapping[str, Any]) -> Step:
    call = _operator(node["target"])
    arguments = [(each["name"], each.get("kind"), _getter(each["arg"])) for each in node["inputs"]]
    positional = [get for _, kind, get in arguments if kind != _KEYWORD]
    named = [(name, get) for name, kind, get in arguments if kind == _KEYWORD]
    keep = _keeper(node["outputs"])

    def step(values: Values) -> None:
        keep(values, call(*[get(values) for get in positional], **{name: get(values) for name, get in named}))

    return step


def _operator(target: str) -> Callable[..., Any]:
    if target in _OF_SIZES:
        return _OF_SIZES[target]
    if not target.startswith(_OPERATORS):
        raise NotPlain(f"the operator {target}")
    name, _, overload = target.removeprefix(_OPERATORS).partition(".")
    found = getattr(getattr(torch.ops.aten, name), overload)
    if not isinstance(found, torch._ops.OpOverload):
        raise NotPlain(f"the operator {target}")
    call: Callable[..., Any] = found
    return call


def _keeper(outputs: Sequence[Mapping[str, Any]]) -> Callable[[Values, Any], None]:
    if not outputs:
        # A check alone, as before each `.to(dtype)`: it raises or returns None.
        return lambda values, given: None
    if len(outputs) == 1:
        ((kind, held),) = outputs[0].items()
        if kind == "as_tensors":
            names = [each["name"] for each in held]
            return lambda values, given: values.update(zip(names, given, strict=True))
        name = _name_kept(kind, held)
        return lambda values, given: values.__setitem__(name, given)
    several = [_name_kept(kind, held) for each in outputs for kind, held in each.items()]
    return lambda values, given: values.update(zip(several, given, strict=True))


def _name_kept(kind: str, held: Any) -> str:
    if kind == "as_none":
        return ""
    if kind == "as_tensor":
        return str(held["name"])
    if kind in ("as_sym_int", "as_sym_bool"):
        return str(held["as_name"])
    raise NotPlain(f"the output {kind}")


def _getter(argument: Mapping[str, Any]) -> Get:
    ((kind, held),) = argument.items()
    if kind in ("as_tensor", "as_optional_tensor"):
        return _of_tensor(held) if kind == "as_tensor" else _getter(held)
    if kind in ("as_tensors", "as_optional_tensors"):
        several = [_of_tensor(each) if kind == "as_tensors" else _getter(each) for each in held]
        return lambda values: [get(values) for get in several]
    if kind == "as_sym_int":
        return _of_size(held)
    if kind == "as_sym_ints":
        sizes = [_of_size(each) for each in held]
        return lambda values: [get(values) for get in sizes]
    constant = _constant(kind, held)
    return lambda values: constant


def _of_tensor(held: Mapping[str, Any]) -> Get:
    return operator.itemgetter(held["name"])


def _of_size(held: Mapping[str, Any]) -> Get:
    if "as_name" in held:
        return operator.itemgetter(held["as_name"])
    size = held["as_int"]
    return lambda values: size


def _constant(kind: str, held: Any) -> Any:
    if kind in _AS_THEY_ARE:
        return held
    try:
        return _CONSTANTS[kind](held)
    except (KeyError, TypeError) as error:
        raise NotPlain(f"an argument {kind}") from error


_CONSTANTS: dict[str, Callable[[Any], Any]] = {
    "as_none": lambda held: None,
    "as_float": float,
    "as_floats": lambda held: [float(each) for each in held],
    "as_scalar_type": lambda held: getattr(torch, DTYPES[held]),
    "as_memory_format": _MEMORY_FORMATS.__getitem__,
    "as_layout": {_STRIDED: torch.strided}.__getitem__,
    "as_device": lambda held: {"cpu": torch.device("cpu")}[held["type"]],
}
