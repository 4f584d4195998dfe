"""Follows each column of the input through a fitted model, as far as its values stay what they are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from modelport_runtime.core.describing import structure
from modelport_runtime.core.describing.boosters import booster_columns, has_booster
from modelport_runtime.core.describing.evidence import NUMBER_OR_BOOLEAN, Met, met_by_encoder
from modelport_runtime.core.describing.structure import allows_nan, takes_texts

_IMPUTERS = {"MissingIndicator", "SimpleImputer", "KNNImputer", "IterativeImputer"}
_SCALERS = {
    *("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler"),
    *("PowerTransformer", "QuantileTransformer"),
}


@dataclass(frozen=True)
class Track:
    """A value on its way. `passed`: some stage let it through untouched; `filled`: none is missing by now."""

    place: int
    passed: bool = False
    filled: bool = False
    computed: bool = False


Tracks = Sequence[Track | None]
"""None: made of the input, and no column of it any more."""


class Flow:
    """Collects what is met by each column. A stage gives the tracks of what it makes, None if unknown."""

    def __init__(self, width: int, sample: Mapping[int, Any]) -> None:
        """sample: values of a row that the model should take, by the places of their columns."""
        self.met: list[list[Met]] = [[] for _ in range(width)]
        self._sample = sample

    def follow(self, estimator: Any) -> list[list[Met]]:
        left = self.through(estimator, [Track(place) for place in range(len(self.met))])
        # What comes out as it went in bothers nobody.
        self._all_met(left or (), Met(missing=True))
        return self.met

    def through(self, stage: Any, tracks: Tracks) -> Tracks | None:
        """Note in `met` what each track meets in a stage. Return the tracks that it makes, None if unknown.

        A word or None in an estimator's place is no stage: "drop" leaves no track, all else lets them pass.
        """
        if isinstance(stage, str | None):
            return [] if stage == "drop" else _untouched(tracks)
        for handles, go in _WAYS:
            if handles(stage):
                return go(self, stage, tracks)
        return self._inner(stage, tracks)

    def _inner(self, stage: Any, tracks: Tracks) -> Tracks | None:
        inner = structure.inner_estimators(stage)
        for one, chosen in inner:
            given = tracks if chosen is None else [tracks[place] for place in chosen]
            self.through(one, _padded(given, one))
        if not inner:
            return self._leaf(stage, tracks)
        self._passed_to_final(stage, tracks)
        return _selected(stage, tracks) if hasattr(stage, "get_support") else None

    def _passed_to_final(self, stage: Any, tracks: Tracks) -> None:
        """Stacking may hand the rows to its last estimator too, behind the others' predictions."""
        final = getattr(stage, "final_estimator_", None)
        if final is not None and getattr(stage, "passthrough", False):
            predictions = max(0, int(getattr(final, "n_features_in_", len(tracks))) - len(tracks))
            self.through(final, [*[None] * predictions, *tracks])

    def _steps(self, stage: Any, tracks: Tracks) -> Tracks | None:
        current: Tracks | None = tracks
        for step in structure.steps_of(stage) or ():
            if current is None:
                return None
            current = self.through(step, current)
        return current

    def _union(self, stage: Any, tracks: Tracks) -> Tracks | None:
        made = [self.through(part, tracks) for part in structure.union_of(stage) or ()]
        return self._side_by_side(made)

    def _side_by_side(self, made: list[Tracks | None]) -> Tracks | None:
        if any(one is None for one in made):
            # Where the others end up nobody knows.
            for one in made:
                self._all_met(one or (), Met(missing=False))
            return None
        return [track for one in made for track in one or ()]

    def _columns(self, stage: Any, tracks: Tracks) -> Tracks | None:
        """ColumnTransformer: `output_indices_` holds where each part's results stand."""
        indices = stage._transformer_to_input_indices
        slices = getattr(stage, "output_indices_", {})
        made: list[Track | None] = [None] * max((one.stop or 0 for one in slices.values()), default=0)
        for name, part, _ in stage.transformers_:
            chosen = [tracks[place] for place in indices.get(name, ())]
            given = self.through(part, chosen) if chosen else []
            at = slices.get(name, slice(0, 0))
            if given is not None and len(given) == at.stop - at.start:
                made[at] = given
            elif given:
                self._all_met(given, Met(missing=False))
        return made

    def _texts(self, stage: Any, tracks: Tracks) -> None:
        self._all_met(tracks, Met("string", "object", missing=False))

    def _encoder(self, stage: Any, tracks: Tracks) -> Tracks | None:
        strict = getattr(stage, "handle_unknown", "ignore") == "error"
        for track, categories in zip(tracks, stage.categories_, strict=True):
            met = met_by_encoder(categories, strict=strict)
            if track is not None and not track.computed:
                self._meet(track, replace(met, missing=met.missing or None) if track.filled else met)
        widths = getattr(stage, "_n_features_outs", None) or [1] * len(tracks)
        return [None] * sum(widths)

    def _imputer(self, stage: Any, tracks: Tracks) -> Tracks | None:
        sought = getattr(stage, "missing_values", np.nan)
        fills = sought is None or not isinstance(sought, str | int | float) or sought != sought  # noqa: PLR0124
        kind = _kind_of_imputer(stage)
        self._all_met(tracks, replace(kind, missing=fills, none=sought is None))
        if type(stage).__name__ == "MissingIndicator":
            return None
        kept = [track and replace(track, filled=True) for track in tracks]
        statistics = getattr(stage, "statistics_", None)
        if statistics is not None and not getattr(stage, "keep_empty_features", False):
            kept = [track for track, value in zip(kept, statistics, strict=True) if not _is_nan(value)]
        indicators = getattr(stage, "indicator_", None)
        return [*kept, *[None] * (0 if indicators is None else len(indicators.features_))]

    def _scaler(self, stage: Any, tracks: Tracks) -> Tracks:
        self._all_met(tracks, Met("number", None))
        return [track and replace(track, computed=True) for track in tracks]

    def _selector(self, stage: Any, tracks: Tracks) -> Tracks | None:
        """Selectors without an estimator compute with all columns to choose some."""
        self._all_met(tracks, Met("number", None, missing=None if allows_nan(stage) else False))
        return _selected(stage, tracks)

    def _function(self, stage: Any, tracks: Tracks) -> Tracks | None:
        if stage.func is None:
            return _untouched(tracks)
        numeric = isinstance(stage.func, np.ufunc) or stage.validate
        self._all_met(tracks, Met("number", None, missing=False) if numeric else Met(missing=False))
        return None

    def _encoding_booster(self, stage: Any, tracks: Tracks) -> None:
        """HistGradientBoosting with categories: an encoder inside, where unknown and missing are one."""
        inside = Flow(len(tracks), {}).follow(stage._preprocessor)
        for track, met in zip(tracks, inside, strict=True):
            encoded = next((one for one in met if one.kind != "any" or one.values), None)
            reported = Met("number", None) if encoded is None else encoded
            self._all_met([track], replace(reported, missing=True, values=None))

    def _booster(self, stage: Any, tracks: Tracks) -> None:
        """XGBoost's and LightGBM's wrappers: the booster inside knows its categorical columns."""
        places = [(at, track.place) for at, track in enumerate(tracks) if track and not track.computed]
        sample = {at: self._sample[place] for at, place in places if place in self._sample}
        reported = booster_columns(stage, sample)
        for place, track in enumerate(tracks):
            number = NUMBER_OR_BOOLEAN if track is not None and track.passed else Met("number", None)
            self._all_met([track], reported.get(place, replace(number, missing=True)))

    def _leaf(self, stage: Any, tracks: Tracks) -> Tracks | None:
        if not _computes(stage):
            self._all_met(tracks, Met(missing=False))
            return None
        missing = allows_nan(stage)
        for track in tracks:
            passed = track is not None and track.passed
            number = NUMBER_OR_BOOLEAN if passed else Met("number", None)
            self._all_met([track], replace(number, missing=missing))
        return None

    def _all_met(self, tracks: Tracks, met: Met) -> None:
        for track in tracks:
            if track is not None:
                self._meet(track, met)

    def _meet(self, track: Track, met: Met) -> None:
        """What was filled is missing no more, and what was computed is a number whatever it was."""
        if track.filled:
            met = replace(met, missing=None)
        if track.computed:
            met = replace(met, kind="any", dtype="object", values=None)
        self.met[track.place].append(met)


def _untouched(tracks: Tracks) -> Tracks:
    return [track and replace(track, passed=True) for track in tracks]


def _padded(tracks: Tracks, estimator: Any) -> Tracks:
    """Chains hand on what was predicted so far, behind the columns."""
    width = getattr(estimator, "n_features_in_", len(tracks))
    return [*tracks, *[None] * (int(width) - len(tracks))]


def _selected(stage: Any, tracks: Tracks) -> Tracks:
    return [tracks[place] for place in stage.get_support(indices=True)]


def _kind_of_imputer(stage: Any) -> Met:
    fitted = getattr(stage, "_fit_dtype", None)
    if fitted is None or np.dtype(fitted).kind in "iuf":
        return Met("number", None) if type(stage).__name__ != "MissingIndicator" else Met()
    return Met("string", "object") if np.dtype(fitted).kind in "OUS" else Met()


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and bool(np.isnan(value))


def _computes(stage: Any) -> bool:
    """True for estimators of the libraries, and own ones that inherit from one of them."""
    return any(
        one.__module__.partition(".")[0] in ("sklearn", "xgboost", "lightgbm") and hasattr(one, "fit")
        for one in type(stage).__mro__
        if not one.__name__.endswith("Mixin")
    )


def _is_column_transformer(stage: Any) -> bool:
    return hasattr(stage, "_transformer_to_input_indices") and hasattr(stage, "transformers_")


def _named(names: set[str]) -> Callable[[Any], bool]:
    return lambda stage: type(stage).__name__ in names


_WAYS: tuple[tuple[Callable[[Any], bool], Callable[[Flow, Any, Tracks], Tracks | None]], ...] = (
    (lambda stage: structure.steps_of(stage) is not None, Flow._steps),
    (lambda stage: structure.union_of(stage) is not None and not takes_texts(stage), Flow._union),
    (_is_column_transformer, Flow._columns),
    (takes_texts, Flow._texts),
    (lambda stage: isinstance(getattr(stage, "categories_", None), list), Flow._encoder),
    (_named(_IMPUTERS), Flow._imputer),
    (_named(_SCALERS), Flow._scaler),
    (_named({"FunctionTransformer"}), Flow._function),
    (lambda stage: getattr(stage, "_preprocessor", None) is not None, Flow._encoding_booster),
    (has_booster, Flow._booster),
    (lambda stage: hasattr(stage, "get_support") and not structure.inner_estimators(stage), Flow._selector),
)
