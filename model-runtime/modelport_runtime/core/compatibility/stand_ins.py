"""Private names that files of older versions take from scikit-learn, and what stands for them here."""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

import numpy as np


class OnlyForTraining:
    """What a fitted model keeps of its training and never reads: losses and scorers of older versions."""

    def __init__(self, *_: Any) -> None:
        """Takes whatever the original took."""


class RemainderColumns(list[Any]):
    """`_RemainderColsList` of 1.5 and 1.6: a list that warned when it was read."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self[:] = state["data"]


_TRAINING = {
    "sklearn.ensemble._gb_losses": (
        *("BinomialDeviance", "MultinomialDeviance", "ExponentialLoss", "LeastSquaresError"),
        *("LeastAbsoluteError", "HuberLossFunction", "QuantileLossFunction"),
    ),
    "sklearn.linear_model._sgd_fast": (
        *("Log", "SquaredLoss", "Huber", "Hinge", "ModifiedHuber", "SquaredHinge"),
        *("EpsilonInsensitive", "SquaredEpsilonInsensitive"),
    ),
    "sklearn.metrics._scorer": ("_passthrough_scorer", "_PredictScorer", "_ProbaScorer", "_ThresholdScorer"),
}
_LOSSES = "sklearn._loss._loss"
_RENAMED_LOSSES = "_loss"
"""What 1.5 to 1.8 called that module in files."""


@contextmanager
def standing_in() -> Iterator[None]:
    """Add the names that are missing here to scikit-learn's modules, for as long as a file is read."""
    with ExitStack() as stack:
        losses = importlib.import_module(_LOSSES)
        stack.enter_context(_module(_RENAMED_LOSSES, losses))
        _add(stack, losses, _unpicklers(losses))
        for name, members in _TRAINING.items():
            module = stack.enter_context(_module(name))
            _add(stack, module, {member: _only_for_training(name, member) for member in members})
        composed = importlib.import_module("sklearn.compose._column_transformer")
        _add(stack, composed, {"_RemainderColsList": RemainderColumns})
        for name in ("sklearn.metrics._dist_metrics", "sklearn.neighbors._dist_metrics"):
            _add_distances(stack, name)
        tree = importlib.import_module("sklearn.tree._tree")
        _replace(stack, tree, "Tree", _tree_of_any_version(tree.Tree))
        yield


def _only_for_training(module: str, name: str) -> Any:
    if name == "_passthrough_scorer":
        return OnlyForTraining()
    return type(name, (OnlyForTraining,), {})


@contextmanager
def _module(name: str, standing: ModuleType | None = None) -> Iterator[ModuleType]:
    """Return the module; one that is not here is `standing`, or an empty one, meanwhile."""
    try:
        here = importlib.import_module(name)
    except ModuleNotFoundError:
        here = None
    # Not within the try: what reading the file raises comes out of the yield.
    if here is not None:
        yield here
        return
    sys.modules[name] = standing or ModuleType(name)
    try:
        yield sys.modules[name]
    finally:
        del sys.modules[name]


def _add(stack: ExitStack, module: ModuleType, members: dict[str, Any]) -> None:
    for name, member in members.items():
        if not hasattr(module, name):
            setattr(module, name, member)
            stack.callback(delattr, module, name)


def _replace(stack: ExitStack, module: ModuleType, name: str, member: Any) -> None:
    stack.callback(setattr, module, name, getattr(module, name))
    setattr(module, name, member)


def _unpicklers(losses: ModuleType) -> dict[str, Callable[..., Any]]:
    """1.1 to 1.4 wrote losses as calls of functions that the compiler had made."""
    names = [name for name in vars(losses) if name.startswith("Cy")]
    return {f"__pyx_unpickle_{name}": _loss_from_state for name in names}


def _loss_from_state(kind: Any, _checksum: int, state: tuple[Any, ...] | None = None) -> Any:
    return kind(*(state or ()))


def _add_distances(stack: ExitStack, name: str) -> None:
    """1.1 and 1.2 had one width of each metric; since then their names end in 64 or 32."""
    module = stack.enter_context(_module(name))
    here = importlib.import_module("sklearn.metrics._dist_metrics")
    wide = {other.removesuffix("64"): found for other, found in vars(here).items() if other.endswith("64")}
    _add(stack, module, wide | {"newObj": lambda kind: kind.__new__(kind)})


def _tree_of_any_version(tree: Any) -> Any:
    """A `Tree` that takes the nodes of 1.1 and 1.2, which did not hold where missing values go."""
    nodes_here = np.dtype(tree(1, np.array([1], dtype=np.intp), 1).__getstate__()["nodes"].dtype)

    class Tree(tree):  # type: ignore[misc]  # a base that is only known when it runs
        # skops looks it up by this.
        __module__ = tree.__module__

        def __setstate__(self, state: dict[str, Any]) -> None:
            super().__setstate__(state | {"nodes": _with_fields(state["nodes"], nodes_here)})

    return Tree


def _with_fields(nodes: np.ndarray[Any, Any], wanted: np.dtype[Any]) -> np.ndarray[Any, Any]:
    given = set(nodes.dtype.names or ())
    if set(wanted.names or ()) - given != {"missing_go_to_left"}:
        return nodes
    widened = np.zeros(nodes.shape, dtype=wanted)
    for name in given:
        widened[name] = nodes[name]
    return widened
