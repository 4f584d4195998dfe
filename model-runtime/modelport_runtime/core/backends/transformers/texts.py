"""Texts in, labels and their probabilities out, as Transformers' own pipeline computes them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from modelport_runtime.core.responses import keyed, plain
from modelport_runtime.core.signature import Column, Signature
from modelport_runtime.core.types import LoadError, Outputs

_ROWS_AT_ONCE = 16
"""Sorted by length: what fills up the shorter ones of so many is computed, and dropped."""
_HALVES = (torch.float16, torch.bfloat16)
_LARGEST = 1_000_000
"""A tokenizer without a limit has a larger one."""
_ODD = {"single_label_classification", "multi_label_classification", "regression", None}


class TextBackend:
    """See `Backend`."""

    def __init__(self, model: Any, tokenizer: Any, libraries: dict[str, str]) -> None:
        self.libraries = libraries
        self._model = model
        self._tokenizer = tokenizer
        self._kind = _kind_of(model.config)
        self._labels = _labels_of(model.config)
        self._limit = _limit_of(model, tokenizer)
        # Sums of numbers of few bits are added in another order in a batch.
        self.rounding = 3e-2 if model.dtype in _HALVES else 1e-4
        self.signature = self._signature()

    def _signature(self) -> Signature:
        return Signature(
            task="regressor" if self._kind == "regression" else "classifier",
            columns=(Column("text", kind="string", dtype="object"),),
            outputs=("prediction",) if self._kind == "regression" else ("prediction", "probabilities"),
            classes=self._labels if self._kind == "single" else None,
        )

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        return lambda rows: [row[0] for row in rows]

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        scores = self._scores(inputs)
        read = {"prediction": self._predictions, "probabilities": self._probabilities}
        return Outputs({name: read[name](scores) for name in wanted})

    def _predictions(self, scores: np.ndarray[Any, Any]) -> list[Any]:
        if self._kind == "regression":
            return list(plain(scores[:, 0] if scores.shape[1] == 1 else scores))
        if self._kind == "single":
            return [self._labels[place] for place in scores.argmax(axis=1)]
        return [[self._labels[place] for place in np.flatnonzero(row > 0.5)] for row in scores]

    def _probabilities(self, scores: np.ndarray[Any, Any]) -> list[Any]:
        return keyed(scores, self._labels)

    def _scores(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        scores = np.empty((len(texts), len(self._labels)), np.float32)
        for places, batch in self._batches(texts):
            with torch.inference_mode():
                scores[places] = self._model(**batch).logits.float().numpy()
        match self._kind:
            case "single":
                return _softmax(scores)
            case "several":
                return np.asarray(1 / (1 + np.exp(-scores)))
        return scores

    def _batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Any]]:
        """Yield places and tokens of texts of about the same length."""
        tokens = self._tokenizer(list(texts), truncation=True, max_length=self._limit)
        lengths = [len(each) for each in tokens["input_ids"]]
        order = sorted(range(len(texts)), key=lengths.__getitem__)
        # Without a token to fill up with each text is predicted alone.
        most = 1 if self._tokenizer.pad_token is None else _ROWS_AT_ONCE
        for start in range(0, len(order), most):
            places = order[start : start + most]
            chosen = {name: [values[place] for place in places] for name, values in tokens.items()}
            if most > 1:
                chosen = self._tokenizer.pad(chosen)
            yield places, {name: torch.tensor(values) for name, values in chosen.items()}


def _kind_of(config: Any) -> str:
    """Return how scores are read, by the library's own rules."""
    if config.problem_type not in _ODD:
        raise LoadError("UnsupportedFormat", f"The problem_type {config.problem_type!r} is not served.")
    if config.problem_type == "regression":
        return "regression"
    of_labels = config.problem_type == "multi_label_classification" or config.num_labels == 1
    return "several" if of_labels else "single"


def _labels_of(config: Any) -> tuple[str, ...]:
    labels = tuple(str(config.id2label.get(place, f"LABEL_{place}")) for place in range(config.num_labels))
    if len(set(labels)) < len(labels):
        raise LoadError("UnsupportedFormat", "Two labels of the model have one name: rename one in id2label.")
    return labels


def _limit_of(model: Any, tokenizer: Any) -> int | None:
    """Return the most tokens of a text: more would be an error of the model."""
    positions = getattr(model.config, "max_position_embeddings", None)
    found = [each for each in (tokenizer.model_max_length, positions) if isinstance(each, int) and each > 0]
    least = min([*found, _LARGEST])
    return None if least == _LARGEST else min(least, _positions(model, positions))


def _positions(model: Any, positions: Any) -> int:
    """RoBERTa and its kin count them from behind the padding's."""
    if not isinstance(positions, int) or positions <= 0:
        return _LARGEST
    padding = getattr(getattr(model.base_model, "embeddings", None), "padding_idx", None)
    return positions - padding - 1 if isinstance(padding, int) else positions


def _softmax(scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    shifted = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))
