"""What an exported program takes and gives, read from its JSON: nothing of it is run."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Never

from modelport_http.wording import counted

from modelport_runtime.core.backends.onnx.declared import Declared
from modelport_runtime.core.backends.onnx.declared import declared as as_declared
from modelport_runtime.core.types import LoadError

# The numbers of torch._export.serde.schema.ScalarType, and PyTorch's own names.
DTYPES = dict(
    enumerate(
        (
            "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex32",
            "complex64", "complex128", "bool", "bfloat16",
        ),
        start=1,
    )
)  # fmt: skip
ROUNDING = 1e-4
"""How far a row's prediction in a batch may be from that alone: sums of 32-bit numbers in another order."""
Size = int | str
"""A name is a size that is free."""
_SYMBOL = re.compile(r"Symbol\('(\w+)'[^()]*\)")
_CHECKED_FROM = 2
"""A lower bound of a size is checked by PyTorch only above this: it writes 2 for any."""
_RECURRENT = ("aten.lstm", "aten.gru", "aten.rnn")
_MAX_DEPTH = 32
_CONTAINERS = {"builtins.tuple": tuple, "builtins.list": list, "builtins.dict": dict}


def declared(name: str, dtype: str, shape: Sequence[Size]) -> Declared:
    """Return what a program takes or gives. `dtype`: PyTorch's name of it."""
    # NumPy has no bfloat16: such floats are widened.
    return as_declared(name, "float32" if dtype == "bfloat16" else dtype, shape)


@dataclass(frozen=True)
class Input:
    """A tensor that callers give, or where `tensor` is None the one `value` that the program takes."""

    name: str
    tensor: Declared | None
    dtype: str | None = None
    value: Any = None


@dataclass(frozen=True)
class Limit:
    """How much of a size, other than the first, a program takes. `most` None: any."""

    axis: int
    least: int
    most: int | None

    def message(self, size: int) -> str | None:
        """Complete "<input> …" for a size that is out of it; None: it fits."""
        if size < self.least:
            return f"must have at least {counted(self.least, 'value')} along axis {self.axis}, and has {size}"
        if self.most is not None and size > self.most:
            return f"must have at most {counted(self.most, 'value')} along axis {self.axis}, and has {size}"
        return None


@dataclass(frozen=True)
class Program:
    """`arguments` makes positional and named arguments of one value for each input.

    `most_rows`: how many fit into its first free size; None: any number. `limits`: of other free sizes, by
    the input's name. `held`: the JSON itself.
    """

    inputs: tuple[Input, ...]
    outputs: tuple[Declared, ...]
    arguments: Callable[[Sequence[Any]], Any]
    most_rows: int | None
    limits: Mapping[str, Sequence[Limit]]
    is_recurrent: bool
    held: Mapping[str, Any]


def read(text: bytes) -> Program:
    """Read the program's JSON. Raises `LoadError` (CorruptArtifact, UnsupportedFormat)."""
    try:
        return _program(json.loads(text))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise LoadError("CorruptArtifact", f"The exported program's JSON is damaged: {error!r}.") from error


def _program(held: Mapping[str, Any]) -> Program:
    module = held["graph_module"]
    signature, values = module["signature"], module["graph"]["tensor_values"]
    _check_evaluates(module["graph"]["nodes"], signature["output_specs"])
    inputs = tuple(_inputs(signature["input_specs"], values))
    call = module["module_call_graph"][0]["signature"]
    build, leaves = _tree(json.loads(call["in_spec"])[1])
    if leaves != len(inputs):
        raise ValueError(f"{leaves} arguments of {len(inputs)} inputs")
    return Program(
        inputs=inputs,
        outputs=tuple(_outputs(signature["output_specs"], values, call["out_spec"])),
        arguments=lambda given: build(iter(given)),
        most_rows=_most_rows(inputs, held["range_constraints"]),
        limits={
            each.name: tuple(_limits(each.tensor.shape, held["range_constraints"]))
            for each in inputs
            if each.tensor is not None
        },
        is_recurrent=any(name in node["target"] for node in module["graph"]["nodes"] for name in _RECURRENT),
        held=module,
    )


def _check_evaluates(nodes: Sequence[Mapping[str, Any]], outputs: Sequence[Mapping[str, Any]]) -> None:
    trains = any(
        each["name"] in ("train", "training") and each["arg"].get("as_bool")
        for node in nodes
        for each in node["inputs"]
    )
    if trains or any("buffer_mutation" in each or "parameter_mutation" in each for each in outputs):
        raise LoadError(
            "UnsupportedFormat",
            "The network was exported as it is in training: dropout draws by chance there, and batch "
            "normalization looks at all rows. Export it after model.eval().",
        )


def _inputs(specs: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> Iterator[Input]:
    for spec in specs:
        if fixed := spec.get("constant_input"):
            yield Input(fixed["name"], None, value=next(iter(fixed["value"].values())))
        elif given := spec.get("user_input"):
            yield _input(given["arg"], values)


def _input(argument: Mapping[str, Any], values: Mapping[str, Any]) -> Input:
    name = _tensor_name(argument, "takes")
    dtype, shape = _described(values[name])
    return Input(name, declared(name, dtype, shape), dtype)


def _outputs(specs: Sequence[Mapping[str, Any]], values: Mapping[str, Any], spec: str) -> Iterator[Declared]:
    given = [each["user_output"]["arg"] for each in specs if "user_output" in each]
    names = list(_names(json.loads(spec)[1], ""))
    for name, argument in zip(names, given, strict=True):
        dtype, shape = _described(values[_tensor_name(argument, "returns")])
        yield declared(name or "output", dtype, shape)


def _tensor_name(argument: Mapping[str, Any], does: str) -> str:
    if "as_tensor" not in argument:
        _refuse(f"The network {does} something that is no tensor ({next(iter(argument))}).")
    return str(argument["as_tensor"]["name"])


def _described(held: Mapping[str, Any]) -> tuple[str, list[Size]]:
    dtype = DTYPES.get(held["dtype"])
    if dtype is None:
        _refuse(f"The network has a tensor of PyTorch's type number {held['dtype']}, which NumPy lacks.")
    return dtype, [size_of(each) for each in held["sizes"]]


def size_of(held: Mapping[str, Any]) -> Size:
    """Return a size of a tensor."""
    return int(held["as_int"]) if "as_int" in held else str(held["as_expr"]["expr_str"])


def _most_rows(inputs: Sequence[Input], ranges: Mapping[str, Any]) -> int | None:
    firsts = {each.tensor.shape[0] for each in inputs if each.tensor is not None and each.tensor.shape}
    most = [
        bounds["max_val"]
        for symbol, bounds in ranges.items()
        if any(f"'{symbol}'" in str(first) for first in firsts)
    ]
    return min((size for size in most if isinstance(size, int) and size > 0), default=None)


def _limits(shape: Sequence[Any], ranges: Mapping[str, Any]) -> Iterator[Limit]:
    for axis, size in enumerate(shape):
        match = _SYMBOL.fullmatch(size) if axis and isinstance(size, str) else None
        bounds = ranges.get(match[1]) if match else None
        if bounds is not None:
            least, most = bounds["min_val"], bounds["max_val"]
            at_least = least if isinstance(least, int) and least > _CHECKED_FROM else 0
            yield Limit(axis, at_least, most if isinstance(most, int) and most > 0 else None)


def _tree(spec: Mapping[str, Any], depth: int = 0) -> tuple[Callable[[Iterator[Any]], Any], int]:
    """Return what builds the nested value out of its leaves, and how many these are."""
    if spec["type"] is None:
        return next, 1
    kind = _container(spec, depth)
    parts = [_tree(each, depth + 1) for each in spec["children_spec"]]
    count = sum(leaves for _, leaves in parts)
    if kind is dict:
        keys = json.loads(spec["context"])
        named = list(zip(keys, parts, strict=True))
        return lambda leaves: {key: build(leaves) for key, (build, _) in named}, count
    return lambda leaves: kind(build(leaves) for build, _ in parts), count


def _names(spec: Mapping[str, Any], name: str, depth: int = 0) -> Iterator[str]:
    """Yield a name for each leaf: keys of dictionaries, and places in lists."""
    if spec["type"] is None:
        yield name
        return
    children = spec["children_spec"]
    is_dict = _container(spec, depth) is dict
    keys = json.loads(spec["context"]) if is_dict else range(len(children))
    for key, child in zip(keys, children, strict=True):
        yield from _names(child, f"{name}.{key}" if name else _alone(key), depth + 1)


def _alone(key: str | int) -> str:
    return key if isinstance(key, str) else f"output_{key}"


def _container(spec: Mapping[str, Any], depth: int) -> type:
    kind = _CONTAINERS.get(spec["type"])
    if kind is None or depth > _MAX_DEPTH:
        _refuse(f"The network takes or returns a {spec['type']}, which only its own code knows.")
    return kind


def _refuse(what: str) -> Never:
    raise LoadError("UnsupportedFormat", f"{what} Export it with tensors, in tuples, lists or dictionaries.")
