"""What kernels need of a fitted model, as plain arrays and values: no code, so that untrusted processes may
write it.

A part of the plan gives a matrix (rows × width) of floats: a source reads it off decoded rows, steps
change it, and the final makes labels, probabilities or numbers of it. A network is a plan of its own kind.
"""

from typing import Literal, Union

import msgspec
from modelport_http.wording import counted

from modelport_runtime.core.acceleration.arrays import Array, Dtype, PlanRefused, Scalar, pack
from modelport_runtime.core.acceleration.arrays import Node as _Node
from modelport_runtime.core.acceleration.networks.nodes import NetworkPlan
from modelport_runtime.core.signature import Signature

__all__ = ["Array", "Dtype", "NetworkPlan", "PlanRefused", "Scalar", "pack"]

MAX_PLAN_BYTES = 256 * 1024 * 1024


class Check(_Node, frozen=True):
    """Raises on infinity, and on NaN unless that is allowed."""

    nan_allowed: bool


class Subtract(_Node, frozen=True):
    values: Array
    """width"""


class Add(_Node, frozen=True):
    values: Array
    """width"""


class Multiply(_Node, frozen=True):
    values: Array
    """width"""


class Divide(_Node, frozen=True):
    values: Array
    """width"""


class Clip(_Node, frozen=True):
    low: float
    high: float


class Normalize(_Node, frozen=True):
    """Makes each row's norm 1, unless that is 0."""

    norm: Literal["l1", "l2", "max"]


class Impute(_Node, frozen=True):
    """Puts `fills` (width) for NaN; then a 1 or 0 for each column of `indicated` that was missing or not."""

    fills: Array
    indicated: Array


class Project(_Node, frozen=True):
    """Multiplies by a matrix (width × new width)."""

    matrix: Array


class Recoding(msgspec.Struct, frozen=True):
    """One column's numbers as others: ascending `keys` and their `codes`; None: such a value raises."""

    keys: Array
    codes: Array
    missing: float | None
    unknown: float | None


class Recode(_Node, frozen=True):
    """A recoding for each column."""

    columns: list[Recoding]


class Selection(msgspec.Struct, frozen=True):
    columns: Array
    steps: list["Step"]


class Split(_Node, frozen=True):
    """Takes columns apart, each through its own steps, and puts the results side by side."""

    selections: list[Selection]


Step = Union[  # noqa: UP007  # forward references
    Check, Subtract, Add, Multiply, Divide, Clip, Normalize, Impute, Project, Recode, Split
]


class Numbers(_Node, frozen=True):
    """Columns of numbers or booleans as they are."""

    columns: list[int]


class Lookup(msgspec.Struct, frozen=True):
    """One column's values as rows of a table: `keys[i]` gives row i.

    A missing or unknown value has a row of its own, or none: then it raises.
    """

    column: int
    keys: list[Scalar]
    table: Array
    missing: int | None
    unknown: int | None


class Lookups(_Node, frozen=True):
    lookups: list[Lookup]


class Stack(_Node, frozen=True):
    """Parts side by side."""

    parts: list["Part"]


class Part(msgspec.Struct, frozen=True):
    source: Numbers | Lookups | Stack
    steps: list[Step]


class LinearClassifier(_Node, frozen=True):
    """Scores are x · `coefficients` (width × k) + `intercepts` (k); k is 1 for two classes."""

    coefficients: Array
    intercepts: Array
    classes: list[Scalar]
    link: Literal["none", "softmax", "one_versus_rest"]


class LinearRegressor(_Node, frozen=True):
    """`coefficients`: width × 1."""

    coefficients: Array
    intercept: float


class Trees(msgspec.Struct, frozen=True):
    """Binary trees, the nodes of all one after the other.

    A row goes left where its `feature` ≤ `threshold`. Children stand after their parent; a leaf is its own.
    `nan_left`: 1 where NaN goes left. `category`: row of `left_categories` (m × 256) that holds whether a
    code goes left; -1 where the threshold does. `values`: nodes × k.
    """

    width: int
    feature: Array
    threshold: Array
    left: Array
    right: Array
    nan_left: Array
    category: Array | None
    left_categories: Array | None
    values: Array
    roots: Array
    levels: Array
    """How many steps it takes from each root to the deepest of its leaves."""
    covers: Array | None = None
    """How much of the training rows came to each node. Without it there are no contributions."""


class Forest(_Node, frozen=True):
    """The mean of the trees' values: probabilities where there are classes. Input is cast to float32."""

    trees: Trees
    classes: list[Scalar] | None
    nan_allowed: bool


class Boosting(_Node, frozen=True):
    """The sum of the trees' values for each of `outputs`; tree i adds to output i % outputs.

    Probabilities come of it by logistic function or softmax; numbers as they are, or by exp.
    """

    trees: Trees
    outputs: int
    classes: list[Scalar] | None
    link: Literal["identity", "exp", "logistic", "softmax"]
    zero_is_positive: bool
    single_precision: bool
    checks: bool


Final = LinearClassifier | LinearRegressor | Forest | Boosting


OUTPUTS = {"prediction", "probabilities", "decision_function", "contributions"}
"""What finals know; contributions also need `Trees.covers`, and columns that no step mixes."""


class Plan(_Node, frozen=True):
    signature: Signature
    libraries: dict[str, str]
    part: Part
    final: Final


_encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[Plan | NetworkPlan] = msgspec.msgpack.Decoder(Plan | NetworkPlan)


def encode(plan: Plan | NetworkPlan) -> bytes:
    """Write a plan. Raises `PlanRefused` if it is larger than a server process would read."""
    data = _encode(plan)
    if len(data) > MAX_PLAN_BYTES:
        raise PlanRefused(f"the plan has {counted(len(data), 'byte')}, more than {MAX_PLAN_BYTES}")
    return data


def decode(data: bytes) -> Plan | NetworkPlan:
    """Read a plan of the right form; whether its parts fit is for `validation`. Raises `PlanRefused`."""
    if len(data) > MAX_PLAN_BYTES:
        raise PlanRefused(f"the plan has {counted(len(data), 'byte')}, more than {MAX_PLAN_BYTES}")
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PlanRefused(f"no plan: {error}") from None
