"""Live rows against a reference, with and without a change: what should be called drift, and what should not.

Each case draws (reference rows, live rows, the hour of the live rows, as `profiles.times` has it) again from
a generator of random numbers.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine

Draw = np.random.Generator
Row = dict[str, Any]
Scene = tuple[list[Row], list[Row], int]
REFERENCE_ROWS, LIVE_ROWS = 1000, 500
HOUR = 14


def named(values: NDArray[Any]) -> list[Row]:
    return [{f"x{at}": value for at, value in enumerate(row)} for row in values.tolist()]


def independent(draw: Draw, *, features: int = 4, shift: float = 0.0) -> Scene:
    live = draw.normal(size=(LIVE_ROWS, features))
    live[:, 0] += shift
    return named(draw.normal(size=(REFERENCE_ROWS, features))), named(live), HOUR


def a_step(draw: Draw) -> Scene:
    """The first half of the window is as the reference."""
    reference, live, hour = independent(draw)
    for row in live[LIVE_ROWS // 2 :]:
        row["x0"] += 2
    return reference, live, hour


def with_probes(
    draw: Draw, *, features: int, shift: float = 0.0, share: float = 0.6, probes: int = 1
) -> Scene:
    """Most requests are one and the same row, or one of a few, as health checks send it."""
    reference, live, hour = independent(draw, features=features, shift=shift)
    rows = [reference[draw.integers(probes)] if draw.random() < share else row for row in live]
    return reference, rows, hour


def retries(draw: Draw) -> Scene:
    """Each row is sent three times."""
    reference, live, hour = independent(draw)
    return reference, [row for row in live[: LIVE_ROWS // 3] for _ in range(3)], hour


def sorted_batches(draw: Draw) -> Scene:
    reference, live, hour = independent(draw)
    batches = [sorted(live[at : at + 100], key=lambda row: row["x0"]) for at in range(0, LIVE_ROWS, 100)]
    return reference, [row for batch in batches for row in batch], hour


def clusters(draw: Draw, *, shift: float = 0.0, size: int = 20) -> Scene:
    """So many requests in a row are about one customer."""

    def rows(count: int) -> NDArray[Any]:
        centers = np.repeat(draw.normal(size=(count // size, 4)), size, axis=0)
        return centers + draw.normal(scale=0.3, size=centers.shape)

    live = rows(LIVE_ROWS)
    live[:, 0] += shift
    return named(draw.permutation(rows(REFERENCE_ROWS))), named(live), HOUR


def mixed_customers(draw: Draw) -> Scene:
    """Twenty-five customers, each with an age and an income of its own, send rows in any order."""
    own = np.repeat(draw.normal(size=(LIVE_ROWS // 20, 2)), 20, axis=0)
    live = draw.permutation(np.column_stack([own, draw.normal(size=(LIVE_ROWS, 2))]))
    return named(draw.normal(size=(REFERENCE_ROWS, 4))), named(live), HOUR


def autocorrelated(draw: Draw, *, factor: float, shift: float = 0.0) -> Scene:
    def rows(count: int) -> NDArray[Any]:
        steps = draw.normal(scale=np.sqrt(1 - factor**2), size=(count, 4))
        values = np.empty_like(steps)
        values[0] = draw.normal(size=4)
        for at in range(1, count):
            values[at] = factor * values[at - 1] + steps[at]
        return values

    # Its rows are from a longer time: independent ones.
    live = rows(LIVE_ROWS)
    live[:, 0] += shift
    return named(draw.normal(size=(REFERENCE_ROWS, 4))), named(live), HOUR


def an_hour_of_a_day(draw: Draw, *, shift: float = 0.0) -> Scene:
    minutes = np.arange(1440)
    season = np.column_stack([2 * np.sin(2 * np.pi * minutes / 1440), np.cos(2 * np.pi * minutes / 1440)])
    reference = named(season + draw.normal(size=season.shape))
    start = datetime(2026, 11, 27, tzinfo=UTC)
    for minute, row in zip(minutes.tolist(), reference, strict=True):
        row["at"] = (start + timedelta(minutes=minute)).isoformat()
    at = draw.integers(HOUR * 60, HOUR * 60 + 60, LIVE_ROWS)
    live = season[at] + draw.normal(size=(LIVE_ROWS, 2))
    live[:, 0] += shift
    return reference, named(live), HOUR


def a_weekend_of_four_weeks(draw: Draw, *, shift: float = 0.0) -> Scene:
    """Weekends are one SD apart; the reference has a row every half hour."""
    start, step = datetime(2026, 11, 2, tzinfo=UTC), timedelta(minutes=30)
    times = [start + at * step for at in range(4 * 7 * 48)]
    values = draw.normal(size=(len(times), 2))
    values[:, 0] += [time.weekday() >= 5 for time in times]
    reference = [{**row, "at": at.isoformat()} for at, row in zip(times, named(values), strict=True)]
    live = draw.normal(size=(LIVE_ROWS, 2))
    live[:, 0] += 1 + shift
    return reference, named(live), 24 + HOUR


def order_numbers(draw: Draw) -> Scene:
    reference = [{"order": f"o-{at}", "x": draw.normal()} for at in range(REFERENCE_ROWS)]
    live = [{"order": f"o-{at + 50_000}", "x": draw.normal()} for at in range(LIVE_ROWS)]
    return reference, live, HOUR


def numbers_given_out(draw: Draw) -> Scene:
    """Ids that rise."""
    reference = [{"id": at, "x": draw.normal()} for at in range(REFERENCE_ROWS)]
    return reference, [{"id": at + 50_000, "x": draw.normal()} for at in range(LIVE_ROWS)], HOUR


def heavy_tails(draw: Draw) -> Scene:
    return (
        named(draw.standard_cauchy((REFERENCE_ROWS, 4))),
        named(draw.standard_cauchy((LIVE_ROWS, 4))),
        HOUR,
    )


def small_reference(draw: Draw) -> Scene:
    reference, live, hour = independent(draw)
    return reference[:50], live, hour


def customer_ids(draw: Draw, *, new: bool = False) -> Scene:
    def rows(count: int, first: int) -> list[Row]:
        return [{"customer": f"c-{first + draw.integers(300)}", "x": draw.normal()} for _ in range(count)]

    return rows(REFERENCE_ROWS, 0), rows(LIVE_ROWS, 5000 if new else 0), HOUR


def new_category(draw: Draw, *, share: float) -> Scene:
    reference, live, hour = few_categories(draw)
    return reference, [{"city": "quito"} if draw.random() < share else row for row in live], hour


def few_categories(draw: Draw) -> Scene:
    def rows(count: int) -> list[Row]:
        return [{"city": str(c)} for c in draw.choice(["rome", "oslo", "lima"], count, p=[0.5, 0.3, 0.2])]

    return rows(REFERENCE_ROWS), rows(LIVE_ROWS), HOUR


def comments(draw: Draw, *, constant: bool = False) -> Scene:
    def rows(count: int, text: str | None) -> list[Row]:
        return [{"comment": text or f"text {draw.random()}", "x": draw.normal()} for _ in range(count)]

    return rows(REFERENCE_ROWS, None), rows(LIVE_ROWS, "n/a." if constant else None), HOUR


def unit_error(draw: Draw, *, share: float = 0.05) -> Scene:
    reference, live, hour = independent(draw)
    for row in live[: round(LIVE_ROWS * share)]:
        row["x0"] *= 1000
    return reference, list(draw.permutation(np.array(live, dtype=object))), hour


def swapped(draw: Draw) -> Scene:
    """Two columns that differ by 1 SD change places."""
    reference, live, hour = independent(draw)
    for row in [*reference, *live]:
        row["x1"] += 1
    return reference, [{**row, "x0": row["x1"], "x1": row["x0"]} for row in live], hour


def gone_missing(draw: Draw, *, share: float = 0.1) -> Scene:
    reference, live, hour = independent(draw)
    for row in live:
        row["x0"] = None if draw.random() < share else row["x0"]
    return reference, live, hour


def stuck(draw: Draw) -> Scene:
    reference, live, hour = independent(draw)
    return reference, [live[0]] * LIVE_ROWS, hour


def another_constant(draw: Draw) -> Scene:
    reference, live, hour = independent(draw)
    for row in reference:
        row["x0"] = 7.0
    for row in live:
        row["x0"] = 8.0
    return reference, live, hour


_LOADERS = {
    "breast cancer": load_breast_cancer,
    "wine": load_wine,
    "digits": load_digits,
    "diabetes": load_diabetes,
    "iris": load_iris,
}


def real(draw: Draw, *, name: str, shift: bool = False) -> Scene:
    """One half is the reference, rows of the other the window: some come more than once where it is short."""
    data = _LOADERS[name]().data
    order = draw.permutation(len(data))
    half = len(data) // 2
    pool = data[order[half:]]
    enough = len(pool) >= LIVE_ROWS
    chosen = draw.permutation(len(pool))[:LIVE_ROWS] if enough else draw.integers(0, len(pool), LIVE_ROWS)
    live = pool[chosen].copy()
    if shift:
        varied = np.flatnonzero(data.std(axis=0))
        at = draw.choice(varied)
        live[:, at] += data[:, at].std()
    return named(data[order[:half]]), named(live), HOUR


Case = Callable[[Draw], Scene]
UNCHANGED: Mapping[str, Case] = {
    "independent rows, 4 features": independent,
    "a probe row is 60 % of the traffic, 1 feature": partial(with_probes, features=1),
    "the same, 2 features": partial(with_probes, features=2),
    "the same, 4 features": partial(with_probes, features=4),
    "the same, but 90 % of the traffic": partial(with_probes, features=4, share=0.9),
    "the same, 20 features": partial(with_probes, features=20),
    "two probe rows are 60 % of the traffic, 4 features": partial(with_probes, features=4, probes=2),
    "each row is sent three times": retries,
    "batches of 100 rows, sorted": sorted_batches,
    "20 rows in a row are of one customer": clusters,
    "50 rows in a row are of one customer": partial(clusters, size=50),
    "25 customers in any order, 2 of 4 features theirs": mixed_customers,
    "autocorrelated by 0.7": partial(autocorrelated, factor=0.7),
    "autocorrelated by 0.95": partial(autocorrelated, factor=0.95),
    "an hour against a day, whose times are in the file": an_hour_of_a_day,
    "an hour of a weekend against four weeks with times": a_weekend_of_four_weeks,
    "order numbers, each of them new": order_numbers,
    "ids that rise, as numbers": numbers_given_out,
    "ids of 300 customers": customer_ids,
    "3 categories": few_categories,
    "texts, each of them new": comments,
    "heavy tails (Cauchy)": heavy_tails,
    "a reference of 50 rows": small_reference,
    **{f"{name} (real data)": partial(real, name=name) for name in _LOADERS},
}
CHANGED: Mapping[str, Case] = {
    "a shift by 1 SD": partial(independent, shift=1),
    "a step by 2 SD half way through the window": a_step,
    "a shift by 1 SD beside a probe row of 60 %, 2 features": partial(with_probes, features=2, shift=1),
    "the same, 4 features": partial(with_probes, features=4, shift=1),
    "a shift by 2 SD, 20 rows of one customer": partial(clusters, shift=2),
    "a shift by 2 SD, autocorrelated by 0.7": partial(autocorrelated, factor=0.7, shift=2),
    "a shift by 2 SD in an hour against a day": partial(an_hour_of_a_day, shift=2),
    "a shift by 2 SD in an hour of a weekend": partial(a_weekend_of_four_weeks, shift=2),
    "wrong units in 5 % of rows": unit_error,
    "wrong units in 20 % of rows": partial(unit_error, share=0.2),
    "two columns swapped, 1 SD apart": swapped,
    "missing in 10 % of rows": gone_missing,
    "a constant that is another": another_constant,
    "a new category in 5 % of rows": partial(new_category, share=0.05),
    "wholly new customer ids": partial(customer_ids, new=True),
    "texts that became one": partial(comments, constant=True),
    "all rows became one": stuck,
    **{f"1 SD in one feature of {name} (real)": partial(real, name=name, shift=True) for name in _LOADERS},
}
SMALL: Mapping[str, Case] = {"a shift by 0.4 SD": partial(independent, shift=0.4)}
"""Certain, but smaller than what the platform's threshold calls drift (0.4² = 0.16)."""
RARE: Mapping[str, Case] = {
    "wrong units in 1 % of rows": partial(unit_error, share=0.01),
    "missing in 2 % of rows": partial(gone_missing, share=0.02),
    "a new category in 1 % of rows": partial(new_category, share=0.01),
}
"""Five or ten rows of 500."""
