"""Quality as charts and tables show it. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from modelport_control_api.analytics.query import boundaries
from modelport_control_api.quality.schemas import (
    Expected,
    Metric,
    QualityAnswer,
    QualityPoint,
    VersionQuality,
)

NAMES: Mapping[str, str] = {
    "accuracy": "Accuracy",
    "f1_macro": "Macro F1",
    "roc_auc": "ROC AUC",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
    "mae": "Mean absolute error",
    "rmse": "Root mean square error",
    "r2": "R²",
    "bias": "Bias",
    "reward": "Mean reward",
}
_MOST_VERSIONS = 3
"""With lines of their own, the newest: each may have a second line, of what is expected."""
Series = dict[str, Any]
Figure = Callable[[QualityPoint], float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    series: list[Series]


@dataclass(frozen=True, slots=True)
class Charts:
    """`x`: when each bucket begins, in seconds since 1970 UTC."""

    x: list[int]
    labels: list[Series]
    metrics: list[Chart]


@dataclass(frozen=True, slots=True)
class Row:
    """A metric of a version, in the whole range. `expected`: of rows whose truth is not known yet."""

    name: str
    value: str
    interval: str
    rows: int
    expected: bool


def charts_of(answer: QualityAnswer) -> Charts:
    """Return a chart for each metric that some version has."""
    starts = _starts(answer)
    shown = answer.versions[-_MOST_VERSIONS:]
    charts = [Chart(title, list(_lines(shown, starts, name))) for name, title in NAMES.items()]
    return Charts(
        starts,
        _counts(answer, starts),
        [chart for chart in charts if chart.series],
    )


def rows_of(version: VersionQuality) -> list[Row]:
    """Return what is known, and beside it what is expected."""
    known: dict[Any, Metric | Expected] = {**version.metrics}
    expected: dict[Any, Metric | Expected] = {**version.expected}
    return [
        _row(title, metrics[name], is_expected)
        for name, title in NAMES.items()
        for metrics, is_expected in ((known, False), (expected, True))
        if name in metrics
    ]


def _row(title: str, metric: Metric | Expected, is_expected: bool) -> Row:
    interval = _interval(metric.lower, metric.upper)
    return Row(title, f"{metric.value:.4g}", interval, metric.rows, is_expected)


def _interval(lower: float | None, upper: float | None) -> str:
    return "–" if lower is None or upper is None else f"{lower:.4g} to {upper:.4g}"


def _starts(answer: QualityAnswer) -> list[int]:
    """Of every bucket, those without predictions too: a lone point has no scale."""
    first, last = int(answer.from_.timestamp()), int(answer.to.timestamp()) - 1
    return boundaries(first, last, answer.bucket, ZoneInfo(answer.timezone))[:-1]


def _second(point: QualityPoint) -> int:
    return int(point.start.timestamp())


def _counts(answer: QualityAnswer, starts: list[int]) -> list[Series]:
    """Of all versions together."""
    points = [point for version in answer.versions for point in version.series]
    predictions, labels = dict.fromkeys(starts, 0), dict.fromkeys(starts, 0)
    for point in points:
        predictions[_second(point)] += point.predictions
        labels[_second(point)] += point.labels
    return [
        {"label": "Predictions", "values": list(predictions.values()), "color": 5},
        {"label": "With a label", "values": list(labels.values()), "color": 1},
    ]


def _lines(versions: list[VersionQuality], starts: list[int], name: Any) -> Iterator[Series]:
    for color, version in enumerate(versions, 1):
        for label, figure in (
            (version.version, _known(name)),
            (f"{version.version}, expected", _expected(name)),
        ):
            by_start = {_second(point): figure(point) for point in version.series}
            values = [by_start.get(start) for start in starts]
            if any(value is not None for value in values):
                is_known = label == version.version
                yield {"label": label, "values": values, "color": color if is_known else color + 3}


def _known(name: Any) -> Figure:
    return lambda point: point.metrics[name].value if name in point.metrics else None


def _expected(name: Any) -> Figure:
    return lambda point: point.expected[name].value if name in point.expected else None
