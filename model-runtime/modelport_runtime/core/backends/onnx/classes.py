"""Whether the second output of an ONNX graph is probabilities of the first, and of which classes.

Its name is no evidence: converters call logits `probabilities`, too. So it is judged by what the graph gave
for probes: rows first, `scores` and `labels` of each.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from modelport_runtime.core.responses import by_label, class_key, keyed, plain

Labels = list[Any]
Form = Literal["maps", "marginal maps", "classes", "marginals", "labels"]
"""maps: class → number a row. classes: one number a class. labels: numbers of the classes of each of several
labels. Marginal: one number for each of several labels, the probability that it is 1."""
ReadScores = Callable[[Any], list[Any]]
_ROUNDING = 1e-3


def form_of(scores: Any, labels: Any) -> Form | None:
    """Return how scores lie beside labels; None: in no known form."""
    several = np.shape(labels)[1] if np.ndim(labels) == 2 else 1
    if isinstance(scores, list):
        if scores and isinstance(scores[0], dict):
            return "maps" if several == 1 else "marginal maps"
        return "labels" if scores and isinstance(scores[0], list) and len(scores[0]) == several > 1 else None
    if scores.dtype.kind != "f" or scores.ndim < 2:
        return None
    if several > 1:
        forms: dict[int, Form] = {2: "marginals", 3: "labels"}
        return forms.get(scores.ndim) if scores.shape[1] == several else None
    return "classes" if scores.ndim == 2 and scores.shape[1] > 1 else None


def are_probabilities(form: Form, scores: Sequence[Any]) -> bool:
    """Whether all scores lie from 0 to 1 and, of one label, sum to 1."""
    together_one = form in ("classes", "labels")
    return all(_is_distribution(part, together_one) for given in scores for part in _parts(form, given))


def _parts(form: Form, scores: Any) -> list[Any]:
    if form in ("maps", "marginal maps"):
        return [list(row.values()) for row in scores]
    return [part for row in scores for part in row] if form == "labels" else list(scores)


def _is_distribution(part: Any, together_one: bool) -> bool:
    numbers = np.asarray(part, dtype=np.float64)
    within = ((numbers >= -_ROUNDING) & (numbers <= 1 + _ROUNDING)).all()
    return bool(within and (not together_one or abs(numbers.sum() - 1) <= _ROUNDING))


def reader(form: Form, classes: Sequence[Labels]) -> ReadScores:
    """Build what reads scores into an object of class → number a row, or a list of one for each label.

    `classes`: those of the one label, or of each. Maps have their own.
    """
    if form == "maps":
        return _from_maps
    if form == "marginal maps":
        return lambda scores: _marginals(np.array(_parts("maps", scores), dtype=np.float32))
    if form == "marginals":
        return _marginals
    if form == "classes":
        return lambda scores: keyed(scores, classes[0])
    return partial(_of_labels, classes=classes)


def _from_maps(scores: list[dict[Any, float]]) -> list[Any]:
    """A map holds float32 numbers as Python floats; only the digits of a float32 mean anything."""
    return [
        dict(zip(map(class_key, row), plain(np.array(list(row.values()), dtype=np.float32)), strict=True))
        for row in scores
    ]


def _marginals(scores: Any) -> list[Any]:
    return by_label(scores, [("0", "1")] * scores.shape[1])


def _of_labels(scores: Any, classes: Sequence[Labels]) -> list[Any]:
    return [
        [keyed(np.asarray(part)[None], each)[0] for part, each in zip(row, classes, strict=True)]
        for row in scores
    ]


def classes_of(
    form: Form,
    declared: Sequence[Labels],
    constants: Sequence[Labels],
    probes: Sequence[tuple[Any, Any]],
) -> Sequence[Labels] | None:
    """Return the classes in the order of the scores: of the one label, or of each. None if nothing names
    them.

    The file may declare them; else they are those of its constants, or 0…k-1, that are the likeliest's label.
    """
    if form not in ("classes", "labels"):
        return ()
    widths = [np.shape(part)[-1] for part in ([probes[0][0][0]] if form == "classes" else probes[0][0][0])]
    if [len(each) for each in declared[: len(widths)]] == widths:
        return list(declared[: len(widths)])
    found = [
        _of_one(width, constants, [_label(form, place, scores, labels) for scores, labels in probes])
        for place, width in enumerate(widths)
    ]
    return None if None in found else [each for each in found if each is not None]


def _label(form: Form, place: int, scores: Any, labels: Any) -> tuple[list[Any], list[Any]]:
    """Return the scores and the given labels of one label."""
    if form == "classes":
        return list(scores), plain(np.ravel(labels))
    return [row[place] for row in scores], plain(np.asarray(labels)[:, place])


def _of_one(width: int, constants: Sequence[Labels], given: Sequence[tuple[Any, Any]]) -> Labels | None:
    pairs = [
        (int(np.argmax(row)), label)
        for rows, labels in given
        for row, label in zip(rows, labels, strict=True)
    ]
    for each in [*constants, list(range(width))]:
        if len(each) == width and all(each[likeliest] == label for likeliest, label in pairs):
            return each
    return None
