"""What the outputs of an ONNX graph are called and mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from modelport_runtime.core.backends.onnx import classes as onnx_classes
from modelport_runtime.core.backends.onnx.file import Labels
from modelport_runtime.core.backends.onnx.graph import Graph
from modelport_runtime.core.backends.onnx.inputs import DTYPES, sizes_of, tensor_spec
from modelport_runtime.core.responses import plain
from modelport_runtime.core.signature import TensorSpec

RESERVED = {"model", "version", "prediction", "predictions", "probabilities"}
"""Keys of a response that mean something else than an output that happens to be called so."""


@dataclass(frozen=True)
class Output:
    """`read` makes JSON values of the rows of `sources`, outputs of the graph."""

    name: str
    sources: tuple[str, ...]
    read: Callable[..., list[Any]]
    spec: TensorSpec | None = None
    classes: tuple[Any, ...] | None = None


def read_outputs(graph: Graph, declared: Sequence[Labels], constants: Sequence[Labels]) -> list[Output]:
    """Recognize a classifier's label and scores; else a lone output is the prediction, and several an
    object.
    """
    if _labels_and_scores(graph.reported_outputs):
        return _of_classifier(graph, declared, constants)
    return plain_outputs(graph)


def plain_outputs(graph: Graph) -> list[Output]:
    """Return a lone output as the prediction; of several, all of them as one object too."""
    reported = graph.reported_outputs
    if len(reported) == 1:
        # Where any length may come out, one of 1 is no other form than one of 2.
        any_length = graph.any_length and sizes_of(reported[0])[1:] != (1,)
        return [_output(graph, reported[0], "prediction", plain if any_length else _without_last_one)]
    names = tuple(each.name for each in reported)

    def together(*rows: Any) -> list[Any]:
        return [dict(zip(names, row, strict=True)) for row in zip(*map(plain, rows), strict=True)]

    return [
        Output("prediction", names, together),
        *(_output(graph, each, _free(each.name), plain) for each in reported),
    ]


def _labels_and_scores(reported: Sequence[Any]) -> bool:
    """The form that every converter of classifiers gives, and of much else: a label, then numbers a class."""
    if len(reported) != 2 or reported[0].type not in ("tensor(int64)", "tensor(string)"):
        return False
    labels, scores = reported
    if scores.type.startswith(("seq(map(", "seq(tensor(float")):
        return True
    ranks = (2, 3) if len(labels.shape) == 2 else (2,)
    return scores.type == "tensor(float)" and len(scores.shape) in ranks


def _of_classifier(graph: Graph, declared: Sequence[Labels], constants: Sequence[Labels]) -> list[Output]:
    labels, scores = graph.reported_outputs
    probes = [(rows[scores.name], rows[labels.name]) for rows in graph.probed]
    label = _output(graph, labels, "prediction", _without_last_one)
    form = _form(scores, probes)
    classes = None if form is None else onnx_classes.classes_of(form, declared, constants, probes)
    if form is None or classes is None:
        return [label, _output(graph, scores, _free(scores.name, "scores"), _without_last_one)]
    read = onnx_classes.reader(form, classes)
    known = _known(form, classes, declared, constants)
    if onnx_classes.are_probabilities(form, [given for given, _ in probes]):
        return [label, _output(graph, scores, "probabilities", read, known)]
    own = read if form == "maps" else plain
    return [label, _output(graph, scores, _free(scores.name, "scores"), own, known)]


def _form(scores: Any, probes: Sequence[tuple[Any, Any]]) -> onnx_classes.Form | None:
    if probes:
        return onnx_classes.form_of(*probes[0])
    # It takes no row that could be made up: only a map of classes is a declaration.
    return "maps" if scores.type.startswith("seq(map(") else None


def _known(
    form: str, classes: Sequence[Labels], declared: Sequence[Labels], constants: Sequence[Labels]
) -> tuple[Any, ...] | None:
    """Classes that are written down somewhere, of the one label."""
    if form == "maps":
        return tuple(declared[0]) if declared else None
    found = form == "classes" and (classes[0] in declared or classes[0] in constants)
    return tuple(classes[0]) if found else None


def _output(
    graph: Graph,
    reported: Any,
    name: str,
    read: Callable[[Any], list[Any]],
    classes: tuple[Any, ...] | None = None,
) -> Output:
    spec = None
    if reported.type in DTYPES:
        shape = graph.shape_out(reported)
        spec = replace(tensor_spec(reported, name), shape=shape)
    return Output(name, (reported.name,), read, spec, classes)


def _free(name: str, instead: str | None = None) -> str:
    return (instead or f"{name}_output") if name in RESERVED else name


def _without_last_one(rows: Any) -> list[Any]:
    """A regressor gives n × 1: the row's one number, not a list of it."""
    if isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.shape[1] == 1:
        rows = rows[:, 0]
    listed: list[Any] = plain(rows)
    return listed
