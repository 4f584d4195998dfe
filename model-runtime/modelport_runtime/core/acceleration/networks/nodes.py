"""A network as a list of operations on arrays whose first size counts rows.

A node names what it takes by its place among the inputs and the nodes before it, inputs first. Shapes are
those of one row: what they become is for `shapes`.
"""

from typing import Literal, Union

import msgspec

from modelport_runtime.core.acceleration.arrays import Array, Node
from modelport_runtime.core.signature import Signature

Float = Literal["float32", "float64"]
Type = Literal["float32", "float64", "int64", "int32"]
Function = Literal[
    "relu", "leaky_relu", "elu", "selu", "gelu", "gelu_tanh", "silu", "mish", "sigmoid", "log_sigmoid",
    "hard_sigmoid", "hard_swish", "tanh", "softplus", "softsign", "exp", "log", "sqrt", "abs", "negative",
    "square", "clip",
]  # fmt: skip
Operation = Literal["add", "subtract", "multiply", "divide", "maximum", "minimum"]
Reduction = Literal["mean", "sum", "max", "min", "argmax"]


class Tensor(msgspec.Struct, frozen=True):
    """What a network takes or gives, as its file declares it: rows first, None for a free size."""

    name: str
    dtype: Type
    shape: tuple[int | None, ...]


class Constant(Node, frozen=True):
    """The same for each row: an operand of `Pair`."""

    values: Array


class Linear(Node, frozen=True):
    """source · weight (in × out) + bias (out), over the last size."""

    source: int
    weight: Array
    bias: Array | None


class Map(Node, frozen=True):
    """A function of each number; `first` and `second` are its parameters, where it has any."""

    source: int
    function: Function
    first: float = 0.0
    second: float = 0.0


class Pair(Node, frozen=True):
    """Two arrays of the same rank, or one and a constant."""

    left: int
    right: int
    operation: Operation


class Concatenate(Node, frozen=True):
    """Side by side along `axis` of a row."""

    sources: list[int]
    axis: int


class Reshape(Node, frozen=True):
    """The same numbers in rows of another shape."""

    source: int
    shape: tuple[int, ...]


class Permute(Node, frozen=True):
    """The axes of a row in another order."""

    source: int
    axes: tuple[int, ...]


class Slice(Node, frozen=True):
    """start ≤ place < stop along `axis` of a row."""

    source: int
    axis: int
    start: int
    stop: int
    step: int = 1


class Softmax(Node, frozen=True):
    """Over the last size."""

    source: int
    logarithm: bool = False


class Standardize(Node, frozen=True):
    """(x - mean) / sqrt(variance + epsilon) of the last `axes` sizes of a row together."""

    source: int
    axes: int
    epsilon: float


class Reduce(Node, frozen=True):
    """One number in place of those along `axis` of a row; argmax gives its place."""

    source: int
    axis: int
    operation: Reduction


class Embedding(Node, frozen=True):
    """Rows of a table (n × width) by whole numbers from 0 to n - 1; any other one raises.

    `wraps`: -n to -1 are the same rows again.
    """

    source: int
    table: Array
    wraps: bool = False


class Cast(Node, frozen=True):
    """To another type; a fraction is cut off."""

    source: int
    dtype: Type


AnyNode = Union[  # noqa: UP007  # as the plan's other unions
    Constant, Linear, Map, Pair, Concatenate, Reshape, Permute, Slice, Softmax, Standardize, Reduce,
    Embedding, Cast,
]  # fmt: skip


class Output(msgspec.Struct, frozen=True):
    tensor: Tensor
    node: int


class Network(msgspec.Struct, frozen=True):
    """`classes`: of a classifier, whose outputs are a label's place and then its probabilities; 0: of none.

    `may_classify`, `most_rows`, `kind`: as `SessionParts` has them.
    """

    inputs: list[Tensor]
    nodes: list[AnyNode]
    outputs: list[Output]
    classes: int
    may_classify: bool
    most_rows: int | None
    kind: Literal["PyTorch", "Keras"]


class NetworkPlan(Node, frozen=True):
    """The signature is what the network's own becomes with the sample's names."""

    signature: Signature
    libraries: dict[str, str]
    network: Network
