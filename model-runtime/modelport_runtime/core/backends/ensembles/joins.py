"""Members that all get the row: their votes are counted, or what they compute is averaged."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modelport_runtime.core.backends.ensembles.columns import Rows, mismatch, united
from modelport_runtime.core.backends.ensembles.members import Array, Member
from modelport_runtime.core.responses import by_key, plain
from modelport_runtime.core.signature import Signature
from modelport_runtime.core.types import Outputs

_BOTH = ("prediction", "probabilities")


class Beside:
    """Feeds each member its part of every row."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members
        self.rows: Rows = united([member.taker() for member in members])
        width = len(self.rows.columns or ())
        self._picks: list[Callable[[Any], Any]] = [
            member.picked(places, width) for member, places in zip(members, self.rows.places, strict=True)
        ]
        self._weights = [member.weight for member in members]

    def _each(self, rows: Any, wanted: tuple[str, ...]) -> list[Outputs]:
        pairs = zip(self.members, self._picks, strict=True)
        return [member.predict(pick(rows), wanted) for member, pick in pairs]


class Classes(Beside):
    """Members of the same classes, in the order of the first, which also decides between equals."""

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__(members)
        first = members[0]
        self._keys = first.keys
        self._classes = first.signature.classes or ()
        for member in members[1:]:
            if set(member.keys) != set(self._keys):
                raise _other_classes(first, member)
        self._have_shares = all("probabilities" in member.signature.outputs for member in members)

    @property
    def signature(self) -> Signature:
        outputs = _BOTH if self._have_shares else _BOTH[:1]
        return self.rows.on(Signature("classifier", None, outputs=outputs, classes=self._classes))

    def _outputs(self, places: Array, shares: Array | None, wanted: tuple[str, ...]) -> Outputs:
        """places: of the classes predicted."""
        values: dict[str, list[Any]] = {}
        arrays: dict[str, Array] = {}
        if "prediction" in wanted:
            values["prediction"] = [self._classes[place] for place in places.tolist()]
        if shares is not None and "probabilities" in wanted:
            values["probabilities"], arrays["probabilities"] = by_key(shares, self._keys), shares
        return Outputs(values, arrays)

    def _average(self, given: Sequence[Outputs]) -> Array:
        pairs = zip(self.members, given, strict=True)
        shares = np.asarray([member.shares(outputs, self._keys) for member, outputs in pairs])
        averaged: Array = np.average(shares, axis=0, weights=self._weights)
        return averaged


def _other_classes(first: Member, member: Member) -> Exception:
    only = [f"{first.label} alone has {_listed(set(first.keys) - set(member.keys))}"]
    only += [f"{member.label} alone has {_listed(set(member.keys) - set(first.keys))}"]
    told = "; ".join(each for each in only if not each.endswith("has "))
    return mismatch(f"The members have other classes: {told}.", "Train them on the same labels.")


def _listed(keys: set[str]) -> str:
    return ", ".join(sorted(keys)[:10])


class Vote(Classes):
    """The class with most votes; each member has as many as its weight."""

    def predict(self, rows: Any, wanted: tuple[str, ...]) -> Outputs:
        needed = tuple(name for name in _BOTH if name in wanted)
        given = self._each(rows, needed)
        places, shares = np.empty(0, dtype=np.intp), None
        if "prediction" in wanted:
            places = np.argmax(self._votes(given), axis=1)
        if "probabilities" in wanted:
            shares = self._average(given)
        return self._outputs(places, shares, wanted)

    def _votes(self, given: Sequence[Outputs]) -> Array:
        votes = np.zeros((given[0].rows, len(self._keys)))
        for member, outputs in zip(self.members, given, strict=True):
            classes = member.signature.classes or ()
            place_of = {label: self._keys.index(key) for label, key in zip(classes, member.keys, strict=True)}
            places = [place_of[label] for label in outputs.values["prediction"]]
            votes[np.arange(len(places)), places] += member.weight
        return votes


class AverageOfClasses(Classes):
    """The likeliest class by the mean of the members' probabilities."""

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__(members)
        for member in members:
            if "probabilities" not in member.signature.outputs:
                raise mismatch(f"{member.label} gives no probabilities to average.", "Join them by `vote`.")

    def predict(self, rows: Any, wanted: tuple[str, ...]) -> Outputs:
        shares = self._average(self._each(rows, _BOTH[1:]))
        return self._outputs(np.argmax(shares, axis=1), shares, wanted)


class AverageOfNumbers(Beside):
    """The mean of the members' predictions, of several targets each by itself."""

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__(members)
        first = members[0]
        for member in members:
            if member.first_number is None:
                raise mismatch(
                    f"{member.label} predicts no numbers to average.",
                    "Join classifiers by `vote` or `average`.",
                )
            if member.first_number.shape != first.first_number.shape:  # type: ignore[union-attr]  # checked above
                raise mismatch(
                    f"{first.label} and {member.label} predict other numbers of targets.",
                    "Average regressors of the same targets.",
                )

    @property
    def signature(self) -> Signature:
        return self.rows.on(Signature("regressor", None))

    def predict(self, rows: Any, wanted: tuple[str, ...]) -> Outputs:
        pairs = zip(self.members, self._each(rows, wanted), strict=True)
        numbers = [member.numbers(outputs) for member, outputs in pairs]
        # As scikit-learn has it, to the last digit: members beside each other, not one after the other.
        beside = np.asarray(numbers).T if numbers[0].ndim == 1 else np.stack(numbers, axis=-1)
        averaged = np.average(beside, axis=-1, weights=self._weights)
        return Outputs({"prediction": plain(averaged)}, {"prediction": averaged})


def average(members: Sequence[Member]) -> AverageOfClasses | AverageOfNumbers:
    """Raise `LoadError` (MembersMismatch) unless all are classifiers, or all are regressors."""
    classifies = [member.signature.task == "classifier" for member in members]
    if all(classifies):
        return AverageOfClasses(members)
    if any(classifies):
        one, other = members[classifies.index(True)], members[classifies.index(False)]
        raise mismatch(
            f"{one.label} is a classifier, and {other.label} a {other.signature.task}.",
            "Average classifiers among themselves.",
        )
    return AverageOfNumbers(members)
