"""Counts as bars for charts."""

from collections.abc import Iterable, Mapping, Sequence

from modelport_telemetry.drift.bins import FIRST_BIN, MISSING, UNKNOWN, CategoryBins
from modelport_telemetry.drift.predictions import OTHER_CLASSES, bounds_of

from modelport_control_api.drift.profiles.profile import ColumnProfile
from modelport_control_api.drift.records import FeatureResult
from modelport_control_api.drift.schemas import (
    Bar,
    FeatureAnswer,
    PredictionBar,
    PredictionDistribution,
    Share,
)

_SHOWN_CATEGORIES = 20
_SHOWN_PREDICTIONS = 30


def feature_response(
    column: ColumnProfile, live: Sequence[int] | None, result: FeatureResult | None
) -> FeatureAnswer:
    """`live` None: no window is full."""
    is_category = isinstance(column.bins, CategoryBins)
    return FeatureAnswer(
        name=column.name,
        kind="category" if is_category else "number",
        drifts=bool(result and result.drifts),
        change=result.change if result else None,
        psi=result.psi if result else None,
        p_value=result.p_value if result else None,
        expected_change=result.expected_change if result else None,
        missing=_share(column, live, [MISSING]),
        unknown=_share(column, live, [UNKNOWN]),
        summary=result.summary if result else "",
        bars=_category_bars(column, live) if is_category else _number_bars(column, live),
    )


def distribution(parts: Iterable[Mapping[str, int]]) -> PredictionDistribution | None:
    """Sum counts of predictions; None: there are none."""
    counts: dict[str, int] = {}
    for part in parts:
        for key, rows in part.items():
            counts[key] = counts.get(key, 0) + rows
    numbers = {bounds: rows for key, rows in counts.items() if (bounds := bounds_of(key)) is not None}
    classes = {key[1:]: rows for key, rows in counts.items() if key.startswith("=")}
    if not counts:
        return None
    if sum(numbers.values()) > sum(classes.values()):
        bars = _merged([_prediction_bar(*each) for each in sorted(numbers.items())])
        return PredictionDistribution(kind="numbers", rows=sum(numbers.values()), bars=bars)
    other = classes.pop(OTHER_CLASSES[1:], 0)
    ordered = sorted(classes.items(), key=lambda item: (-item[1], item[0]))
    bars = [PredictionBar(label=name, rows=rows) for name, rows in ordered]
    if other:
        bars.append(PredictionBar(label="other", rows=other))
    return PredictionDistribution(kind="classes", rows=sum(classes.values()) + other, bars=bars)


def _prediction_bar(bounds: tuple[float, float], rows: int) -> PredictionBar:
    lower, upper = bounds
    label = f"{lower:.3g}" if lower == upper else f"{lower:.3g} to {upper:.3g}"
    return PredictionBar(label=label, lower=lower, upper=upper, rows=rows)


def _merged(bars: list[PredictionBar]) -> list[PredictionBar]:
    """Neighbors together until there are few enough to look at."""
    step = -(-len(bars) // _SHOWN_PREDICTIONS)
    groups = [bars[at : at + step] for at in range(0, len(bars), step)]
    return [
        _prediction_bar((group[0].lower or 0.0, group[-1].upper or 0.0), sum(bar.rows for bar in group))
        for group in groups
    ]


def _category_bars(column: ColumnProfile, live: Sequence[int] | None) -> list[Bar]:
    names = column.bins.categories if isinstance(column.bins, CategoryBins) else ()
    shown = range(FIRST_BIN, FIRST_BIN + min(len(names), _SHOWN_CATEGORIES))
    bars = [_bar(column, live, [cell], names[cell - FIRST_BIN]) for cell in shown]
    others = [UNKNOWN, *range(shown.stop, len(column.cells))]
    if _share(column, live, others) != Share(reference=0, live=0 if live else None):
        bars.append(_bar(column, live, others, "other"))
    return bars


def _number_bars(column: ColumnProfile, live: Sequence[int] | None) -> list[Bar]:
    edges = () if isinstance(column.bins, CategoryBins) else column.bins.edges
    bars = []
    for at in range(len(edges) + 1):
        cell = FIRST_BIN + at
        lower = edges[at - 1] if at else None
        upper = edges[at] if at < len(edges) else None
        # Between values that are bins of their own there is mostly nothing.
        if column.cells[cell] or (live and live[cell]):
            bars.append(_bar(column, live, [cell], _label(lower, upper), lower=lower, upper=upper))
    return bars


def _bar(
    column: ColumnProfile,
    live: Sequence[int] | None,
    cells: Sequence[int],
    label: str,
    *,
    lower: float | None = None,
    upper: float | None = None,
) -> Bar:
    share = _share(column, live, cells)
    return Bar(label=label, lower=lower, upper=upper, reference=share.reference, live=share.live)


def _share(column: ColumnProfile, live: Sequence[int] | None, cells: Sequence[int]) -> Share:
    there, here = sum(column.cells), sum(live) if live else 0
    return Share(
        reference=sum(column.cells[cell] for cell in cells) / there,
        live=sum(live[cell] for cell in cells) / here if live and here else None,
    )


def _label(lower: float | None, upper: float | None) -> str:
    if lower is None:
        return "any number" if upper is None else f"below {upper:.4g}"
    if upper is None:
        return f"from {lower:.4g}"
    low, high = f"{lower:.4g}", f"{upper:.4g}"
    return low if low == high else f"{low} to {high}"
