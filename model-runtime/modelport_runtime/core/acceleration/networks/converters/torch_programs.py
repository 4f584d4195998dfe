"""An exported program of PyTorch, its JSON and its weights, as a network: see `backends.torch.program`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration.converters.blocks import NotConverted, require
from modelport_runtime.core.acceleration.networks import nodes
from modelport_runtime.core.acceleration.networks.converters.builder import Affine, Builder, typed
from modelport_runtime.core.backends.onnx.declared import Declared
from modelport_runtime.core.backends.torch.program import DTYPES, Program, size_of

_ATEN = "torch.ops.aten."
_NO_RESULT = ("_assert", "sym_constrain_range")
_DTYPE_OF = {"float": "float32", "double": "float64"}
Weights = Mapping[str, np.ndarray[Any, Any]]


def convert(program: Program, weights: Weights) -> nodes.Network:
    """Return the network. Raises `NotConverted`, or KeyError and the like for damaged JSON."""
    return _Conversion(program, weights).network()


def _tensor(declared: Declared, what: str) -> nodes.Tensor:
    dtype = declared.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(size if isinstance(size, int) else None for size in declared.shape)
    return nodes.Tensor(declared.name, typed(_DTYPE_OF.get(dtype, dtype), f"{what} {declared.name}"), shape)


class _Conversion:
    """`known`: the place of each tensor of rows by its name, or the array of a constant."""

    def __init__(self, program: Program, weights: Weights) -> None:
        self._program = program
        graph, signature = program.held["graph"], program.held["signature"]
        self._graph, self._signature = graph, signature
        tensors = [_tensor(each.tensor, "input") for each in program.inputs if each.tensor is not None]
        require(len(tensors) == len(program.inputs), "The network takes something that is no tensor.")
        self.build = Builder(tensors)
        self.known: dict[str, Any] = dict(_constants(signature["input_specs"], weights))
        self.known |= {each.name: place for place, each in enumerate(tensors)}
        self._first = self.sizes(tensors[0].name)[0]

    def network(self) -> nodes.Network:
        for node in self._graph["nodes"]:
            self._convert(node)
        specs = [each["user_output"]["arg"] for each in self._signature["output_specs"]]
        outputs = [
            nodes.Output(_tensor(declared, "output"), self._place(spec["as_tensor"]["name"]))
            for declared, spec in zip(self._program.outputs, specs, strict=True)
        ]
        return self.build.network(
            outputs, may_classify=True, most_rows=self._program.most_rows, kind="PyTorch"
        )

    def sizes(self, name: str) -> list[int | str]:
        """Return the sizes that the program says of a tensor."""
        return [size_of(each) for each in self._graph["tensor_values"][name]["sizes"]]

    def row_shape(self, name: str) -> list[int]:
        """Return a row's shape of a result. Raises `NotConverted` unless its rows stand first."""
        first, *sizes = self.sizes(name) or [0]
        fixed = [size for size in sizes if isinstance(size, int)]
        require(
            first == self._first and len(fixed) == len(sizes),
            "The network puts rows into another place, or has rows of no fixed size.",
        )
        return fixed

    def _place(self, name: str) -> int:
        place = self.known[name]
        require(isinstance(place, int), "The network returns a constant.")
        return int(place)

    def _convert(self, node: Mapping[str, Any]) -> None:
        target = str(node["target"])
        kind, _, _ = target.removeprefix(_ATEN).partition(".")
        names = list(_results(node["outputs"]))
        if not names and (kind.startswith(_NO_RESULT) or not target.startswith(_ATEN) or kind == "sym_size"):
            return
        convert = _OPERATORS.get(kind) if target.startswith(_ATEN) else None
        if convert is None:
            raise NotConverted(f"PyTorch's operator {kind} has no kernels.")
        given = convert(_Call(self, node, kind, names))
        for name, place in zip(names, given if isinstance(given, list) else [given], strict=False):
            self.known[name] = place


def _constants(specs: Sequence[Mapping[str, Any]], weights: Weights) -> Iterator[tuple[str, Any]]:
    keys = {"parameter": "parameter_name", "buffer": "buffer_name", "tensor_constant": "tensor_constant_name"}
    for spec in specs:
        ((kind, held),) = spec.items()
        if kind in keys:
            # A weight may be missing that nothing reads: of a type that NumPy lacks, say.
            yield held["arg"]["name"], weights.get(held[keys[kind]])


def _results(outputs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the names of the tensors that a node gives."""
    for output in outputs:
        ((kind, held),) = output.items()
        if kind == "as_tensor":
            yield held["name"]
        elif kind == "as_tensors":
            yield from (each["name"] for each in held)


class _Call:
    """One node: its arguments by name."""

    def __init__(self, owner: _Conversion, node: Mapping[str, Any], kind: str, names: list[str]) -> None:
        self.owner, self.build, self.kind, self.names = owner, owner.build, kind, names
        self._given = {each["name"]: each["arg"] for each in node["inputs"]}

    def get(self, name: str, default: Any = None) -> Any:
        """Return a number, text, list or None; a tensor as a place or an array."""
        return self._value(self._given[name]) if name in self._given else default

    def _value(self, argument: Mapping[str, Any]) -> Any:
        ((kind, held),) = argument.items()
        known = self.owner.known
        readers: dict[str, Callable[[], Any]] = {
            "as_tensor": lambda: known[held["name"]],
            "as_optional_tensor": lambda: self._value(held),
            "as_tensors": lambda: [known[each["name"]] for each in held],
            "as_optional_tensors": lambda: [self._value(each) for each in held],
            "as_none": lambda: None,
            "as_sym_int": lambda: held.get("as_int"),
            "as_sym_ints": lambda: [each.get("as_int") for each in held],
        }
        return readers.get(kind, lambda: held)()

    def rows(self, name: str = "self") -> int:
        """Return the place of an argument that has rows. Raises `NotConverted` for a constant."""
        value = self.get(name)
        require(
            type(value) is int and "as_tensor" in self._given[name],
            f"{self.kind} of constants alone has no kernels.",
        )
        return int(value)

    def constant(self, name: str) -> np.ndarray[Any, Any]:
        """Return an argument that is a weight. Raises `NotConverted` for one that was computed."""
        value = self.get(name)
        require(isinstance(value, np.ndarray), f"{self.kind} of weights that were computed.")
        return np.asarray(value)

    def is_constant(self, name: str) -> bool:
        """Return whether it is a weight."""
        return isinstance(self.get(name), np.ndarray)

    def axis(self, source: int, dim: int) -> int:
        """Return the axis of a row for a dimension. Raises `NotConverted` for that of the rows."""
        dim += len(self.build.shape(source)) + 1 if dim < 0 else 0
        require(dim >= 1, f"{self.kind}, which takes rows with each other, has no kernels.")
        return dim - 1

    def operand(self, name: str) -> Any:
        """Return a place, an array or a number."""
        value = self.get(name)
        return value if "as_tensor" in self._given[name] else float(value) if type(value) is float else value

    def is_place(self, name: str) -> bool:
        """Return whether it has rows."""
        return "as_tensor" in self._given[name] and type(self.get(name)) is int


def _same(call: _Call) -> Any:
    return call.get("self", call.get("input"))


def _linear(call: _Call) -> int:
    bias = None if call.get("bias") is None else call.constant("bias")
    return call.build.linear(call.rows("input"), call.constant("weight").T, bias)


def _addmm(call: _Call) -> int:
    require(call.get("beta", 1) == 1 and call.get("alpha", 1) == 1, "addmm with factors has no kernels.")
    return call.build.linear(call.rows("mat1"), call.constant("mat2"), call.constant("self"))


def _matmul(call: _Call) -> int:
    other = "mat2" if call.kind == "mm" else "other"
    return call.build.linear(call.rows(), call.constant(other), None)


def _function(
    function: nodes.Function, *parameters: tuple[str, float], also: Mapping[str, Any] | None = None
) -> Callable[[_Call], int]:
    def convert(call: _Call) -> int:
        require(
            all(call.get(name, value) == value for name, value in (also or {}).items()),
            f"{call.kind} with such parameters has no kernels.",
        )
        values = [float(call.get(name, default)) for name, default in parameters]
        return call.build.map(call.rows(), function, *values)

    return convert


def _gelu(call: _Call) -> int:
    is_tanh = call.get("approximate", "none") == "tanh"
    return call.build.map(call.rows(), "gelu_tanh" if is_tanh else "gelu")


def _clamp(call: _Call) -> int:
    low, high = call.get("min"), call.get("max")
    require(
        all(each is None or isinstance(each, int | float) for each in (low, high))
        and not any("as_tensor" in str(call._given.get(name)) for name in ("min", "max")),
        "clamp by tensors has no kernels.",
    )
    return call.build.map(
        call.rows(), "clip", -np.inf if low is None else low, np.inf if high is None else high
    )


def _power(call: _Call) -> int:
    functions: dict[Any, nodes.Function] = {2: "square", 0.5: "sqrt"}
    exponent = call.get("exponent")
    require(exponent in functions, f"The power {exponent} has no kernels.")
    return call.build.map(call.rows(), functions[exponent])


def _reciprocal(call: _Call) -> int:
    source = call.rows()
    if call.kind == "rsqrt":
        source = call.build.map(source, "sqrt")
    return call.build.pair(call.build.constant(1, call.build.dtype(source)), source, "divide")


def _pair(operation: nodes.Operation) -> Callable[[_Call], int]:
    def convert(call: _Call) -> int:
        require(
            call.get("alpha", 1) == 1 and call.get("rounding_mode") is None,
            f"{call.kind} with such parameters has no kernels.",
        )
        names = ("other", "self") if call.kind == "rsub" else ("self", "other")
        return _paired(call, names, operation)

    return convert


def _paired(call: _Call, names: tuple[str, str], operation: nodes.Operation) -> int:
    build, dtype = call.build, _promoted(call, names, operation)
    left, right = (
        build.cast(call.get(name), dtype)
        if call.is_place(name)
        else build.constant(call.operand(name), dtype)
        for name in names
    )
    return build.pair(left, right, operation)


def _promoted(call: _Call, names: tuple[str, str], operation: nodes.Operation) -> str:
    """Return the type of a result as PyTorch has it: a tensor's counts before a number's of its kind."""
    operands = [call.operand(name) for name in names]
    tensors = [
        call.build.dtype(operand) if call.is_place(name) else str(operand.dtype)
        for name, operand in zip(names, operands, strict=True)
        if call.is_place(name) or getattr(operand, "ndim", 0) > 0
    ]
    require(bool(tensors), f"{call.kind} of constants alone.")
    dtype = str(np.result_type(*tensors)) if len(set(tensors)) > 1 else tensors[0]
    # PyTorch has single precision for whole numbers of any size with fractions.
    floats = [each for each in tensors if each.startswith("float")]
    dtype = "float64" if "float64" in floats else "float32" if floats else dtype
    fractions = any(isinstance(each, float) for each in operands) or operation == "divide"
    return "float32" if fractions and not dtype.startswith("float") else typed(dtype, "operand")


def _cat(call: _Call) -> int:
    sources = call.get("tensors")
    require(all(type(each) is int for each in sources), "cat with constants has no kernels.")
    dim = call.get("dim", 0)
    if call.kind == "stack":
        shape = call.build.shape(sources[0])
        dim += len(shape) + 2 if dim < 0 else 0
        require(dim >= 1, "stack takes rows with each other.")
        sources = [call.build.reshape(each, (*shape[: dim - 1], 1, *shape[dim - 1 :])) for each in sources]
    return call.build.joined(sources, call.axis(sources[0], dim))


def _reshaped(call: _Call) -> int:
    return call.build.reshape(call.rows(), call.owner.row_shape(call.names[0]))


def _transposed(call: _Call) -> Any:
    if call.is_constant("self"):
        return np.transpose(call.constant("self"), _order(call, call.constant("self").ndim))
    source = call.rows()
    order = _order(call, len(call.build.shape(source)) + 1)
    require(order[0] == 0, "The network puts rows into another place.")
    return call.build.add(nodes.Permute(source, tuple(axis - 1 for axis in order[1:])))


def _order(call: _Call, rank: int) -> list[int]:
    order = list(range(rank))
    if call.kind == "permute":
        return [dim % rank for dim in call.get("dims")]
    one, other = (0, 1) if call.kind in ("t", "numpy_T") else (call.get("dim0"), call.get("dim1"))
    require(rank == 2 or call.kind == "transpose", "The network puts rows into another place.")
    order[one], order[other] = order[other], order[one]
    return order


def _slice(call: _Call) -> int:
    source, dim = call.rows(), call.get("dim", 0)
    start, stop, step = call.get("start") or 0, call.get("end"), call.get("step", 1)
    if dim == 0 and start == 0 and step == 1 and (stop is None or stop >= np.iinfo(np.int32).max):
        return source
    axis = call.axis(source, dim)
    first, last, step = slice(start, stop, step).indices(call.build.shape(source)[axis])
    return call.build.slice(source, axis, first, last, step)


def _select(call: _Call) -> int:
    source = call.rows()
    return call.build.select(source, call.axis(source, call.get("dim")), call.get("index"))


def _split(call: _Call) -> list[int]:
    source = call.rows()
    axis = call.axis(source, call.get("dim", 0))
    if call.kind == "unbind":
        return [call.build.select(source, axis, place) for place in range(len(call.names))]
    stops = np.cumsum([call.owner.row_shape(name)[axis] for name in call.names]).tolist()
    starts = [0, *stops[:-1]]
    return [call.build.slice(source, axis, *each) for each in zip(starts, stops, strict=True)]


def _softmax(call: _Call) -> int:
    source = call.rows()
    last = call.axis(source, call.get("dim")) == len(call.build.shape(source)) - 1
    require(last, f"{call.kind} over another size than the last has no kernels.")
    return call.build.add(nodes.Softmax(source, logarithm="log" in call.kind))


def _layer_norm(call: _Call) -> int:
    affine = _affine(call)
    return call.build.standardized(call.rows("input"), len(call.get("normalized_shape")), affine)


def _batch_norm(call: _Call) -> int:
    source = call.rows("input")
    require(len(call.build.shape(source)) == 1, "Batch normalization of more than columns has no kernels.")
    affine = _affine(call)
    mean, variance = call.constant("running_mean"), call.constant("running_var")
    return call.build.normalized(source, mean, variance, affine)


def _affine(call: _Call) -> Affine:
    factor, offset = (None if call.get(name) is None else call.constant(name) for name in ("weight", "bias"))
    return Affine(factor, offset, call.get("eps", 1e-5))


def _embedding(call: _Call) -> int:
    return call.build.embedding(call.rows("indices"), call.constant("weight"), wraps=False)


def _reduce(operation: nodes.Reduction) -> Callable[[_Call], int]:
    def convert(call: _Call) -> int:
        source = call.rows()
        dims = call.get("dim")
        if isinstance(dims, list):
            require(len(dims) == 1, f"{call.kind} over several sizes has no kernels.")
            (dims,) = dims
        require(
            isinstance(dims, int) and call.get("dtype") is None,
            f"{call.kind}, which takes rows with each other, has no kernels.",
        )
        place = call.build.add(nodes.Reduce(source, call.axis(source, dims), operation))
        return call.build.reshape(place, call.owner.row_shape(call.names[0]))

    return convert


def _cast(call: _Call) -> Any:
    number = call.get("dtype")
    if number is None:
        return _same(call)
    return call.build.cast(call.rows(), DTYPES[number])


_OPERATORS: dict[str, Callable[[_Call], Any]] = {
    **dict.fromkeys(
        ("dropout", "dropout_", "alpha_dropout", "feature_dropout", "feature_alpha_dropout", "contiguous",
         "clone", "alias", "detach", "detach_", "lift_fresh_copy", "lift_fresh", "positive"),
        _same,
    ),
    **dict.fromkeys(
        ("view", "reshape", "flatten", "unsqueeze", "squeeze", "unflatten", "_unsafe_view", "view_as"),
        _reshaped,
    ),
    **dict.fromkeys(("to", "_to_copy"), _cast),
    **dict.fromkeys(("permute", "transpose", "t", "numpy_T"), _transposed),
    **dict.fromkeys(("cat", "concat", "concatenate", "stack"), _cat),
    **dict.fromkeys(("split", "split_with_sizes", "chunk", "unbind"), _split),
    **dict.fromkeys(("softmax", "_softmax", "log_softmax", "_log_softmax", "special_softmax"), _softmax),
    **dict.fromkeys(("clamp", "clamp_min", "clamp_max", "clip"), _clamp),
    **dict.fromkeys(("add", "add_"), _pair("add")),
    **dict.fromkeys(("sub", "sub_", "rsub", "subtract"), _pair("subtract")),
    **dict.fromkeys(("mul", "mul_", "multiply"), _pair("multiply")),
    **dict.fromkeys(("div", "div_", "divide", "true_divide"), _pair("divide")),
    **dict.fromkeys(("reciprocal", "rsqrt"), _reciprocal),
    **dict.fromkeys(("relu", "relu_"), _function("relu")),
    **dict.fromkeys(("leaky_relu", "leaky_relu_"), _function("leaky_relu", ("negative_slope", 0.01))),
    **dict.fromkeys(
        ("elu", "elu_"), _function("elu", ("alpha", 1.0), also={"scale": 1, "input_scale": 1})
    ),
    **dict.fromkeys(("celu", "celu_"), _function("elu", ("alpha", 1.0), also={"alpha": 1.0})),
    **dict.fromkeys(("hardtanh", "hardtanh_"), _function("clip", ("min_val", -1.0), ("max_val", 1.0))),
    **dict.fromkeys(("relu6", "relu6_"), lambda call: call.build.map(call.rows(), "clip", 0.0, 6.0)),
    **dict.fromkeys(("silu", "silu_"), _function("silu")),
    **dict.fromkeys(("mish", "mish_"), _function("mish")),
    **dict.fromkeys(("selu", "selu_"), _function("selu")),
    **dict.fromkeys(("hardsigmoid", "hardsigmoid_"), _function("hard_sigmoid")),
    **dict.fromkeys(("hardswish", "hardswish_"), _function("hard_swish")),
    "softplus": _function("softplus", ("beta", 1.0), ("threshold", 20.0)),
    "log_sigmoid": _function("log_sigmoid"),
    "sigmoid": _function("sigmoid"),
    "tanh": _function("tanh"),
    "exp": _function("exp"),
    "log": _function("log"),
    "sqrt": _function("sqrt"),
    "abs": _function("abs"),
    "neg": _function("negative"),
    "square": _function("square"),
    "gelu": _gelu,
    "pow": _power,
    "linear": _linear,
    "addmm": _addmm,
    "mm": _matmul,
    "matmul": _matmul,
    "maximum": _pair("maximum"),
    "minimum": _pair("minimum"),
    "slice": _slice,
    "select": _select,
    "layer_norm": _layer_norm,
    "batch_norm": _batch_norm,
    "_native_batch_norm_legit_no_training": _batch_norm,
    "embedding": _embedding,
    "mean": _reduce("mean"),
    "sum": _reduce("sum"),
    "amax": _reduce("max"),
    "amin": _reduce("min"),
    "argmax": _reduce("argmax"),
}  # fmt: skip
