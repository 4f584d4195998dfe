"""Makes the profile of a CSV file in two passes: one chooses bins from some rows, one counts all of them.

What is held at a time is bounded by `_SAMPLED_CELLS`, however long the file is. Blocking: for a thread.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from modelport_http.wording import counted
from modelport_telemetry.drift.bins import MISSING, UNKNOWN, CategoryBins, Feature, NumberBins
from modelport_telemetry.drift.counting import cell_of

from modelport_control_api.drift.effective import SELDOM
from modelport_control_api.drift.profiles.binning import (
    category_bins,
    number_bins,
    repetition_of,
    unknown_share,
    usual_shares,
)
from modelport_control_api.drift.profiles.csv_rows import ReferenceInvalid, open_rows
from modelport_control_api.drift.profiles.profile import ColumnProfile, Profile
from modelport_control_api.drift.profiles.times import HOURS, slot_of, time_column

MIN_ROWS = 30
_SAMPLED_ROWS = 10_000
_SAMPLED_CELLS = 1_000_000
_MISSING_TEXTS = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"})
_BOOLEANS = {"true": "true", "false": "false"}
# Neither it nor the float after it may be infinite.
_LARGEST = 1e300

Sample = list[list[str]]


def profile_csv(path: Path) -> Profile:
    """Raises ReferenceInvalid."""
    names, sample = _sample(path)
    if len(sample) < MIN_ROWS:
        raise ReferenceInvalid(f"has {counted(len(sample), 'row')}; a reference needs at least {MIN_ROWS}")
    bins = [_choose([row[at] for row in sample]) for at in range(len(names))]
    time_at = time_column(sample, len(names))
    rows, cells, slots = _count(path, names, bins, time_at)
    columns = tuple(
        _column(Feature(name, at, bins[at]), cells[at], slots[at], [row[at] for row in sample])
        for at, name in enumerate(names)
        if name and sum(cells[at]) > cells[at][MISSING]
    )
    often = [column.position for column in columns if column.repetition >= SELDOM]
    repetition = repetition_of(Counter(tuple(row[at] for at in often) for row in sample))
    return Profile(rows, columns, repetition, None if time_at is None else names[time_at])


def _column(
    feature: Feature, cells: list[int], slots: dict[int, list[int]], sample: Sequence[str]
) -> ColumnProfile:
    find, counts = cell_of_text(feature), Counter(sample)
    places = {text: find(text) for text in counts}
    return ColumnProfile(
        feature.name,
        feature.position,
        feature.bins,
        cells,
        usual=usual_shares(counts, places, len(cells), len(sample)),
        repetition=repetition_of(counts),
        unknown=unknown_share(feature.bins, counts, places),
        hours=_of_the_day(slots),
        weekend={slot - HOURS: counts for slot, counts in slots.items() if slot >= HOURS},
    )


def _of_the_day(slots: dict[int, list[int]]) -> dict[int, list[int]]:
    hours: dict[int, list[int]] = {}
    for slot, cells in slots.items():
        hour = slot % HOURS
        hours[hour] = [sum(both) for both in zip(hours.get(hour, [0] * len(cells)), cells, strict=True)]
    return hours


def _sample(path: Path) -> tuple[list[str], Sample]:
    """Every row of a short file, else as many drawn at random (a reservoir)."""
    # The same file gives the same bins.
    draw = random.Random(0)  # noqa: S311 - nothing secret
    with open_rows(path) as (names, rows):
        most = max(1000, min(_SAMPLED_ROWS, _SAMPLED_CELLS // len(names)))
        sample: Sample = []
        for count, (_, row) in enumerate(rows):
            if count < most:
                sample.append(row)
            elif (place := draw.randrange(count + 1)) < most:
                sample[place] = row
    return names, sample


def _choose(texts: Sequence[str]) -> NumberBins | CategoryBins:
    known = [text for text in texts if text.strip() not in _MISSING_TEXTS]
    numbers = [_finite(text) for text in known]
    if all(number is not None for number in numbers):
        return number_bins([number for number in numbers if number is not None])
    if all(text.strip().lower() in _BOOLEANS for text in known):
        return CategoryBins(("false", "true"))
    return category_bins(Counter(known))


def _count(
    path: Path, names: Sequence[str], bins: Sequence[NumberBins | CategoryBins], time_at: int | None
) -> tuple[int, list[list[int]], list[dict[int, list[int]]]]:
    """Return the number of rows, each column's cells, and its cells by the hour (as `times` has them)."""
    cells = [[0] * each.cells for each in bins]
    slots: list[dict[int, list[int]]] = [{} for _ in bins]
    finders = [
        cell_of_text(Feature(name, at, each)) for at, (name, each) in enumerate(zip(names, bins, strict=True))
    ]
    count = 0
    with open_rows(path) as (_, rows):
        for line, row in rows:
            count += 1
            slot = None if time_at is None else slot_of(row[time_at])
            for at, (find, text) in enumerate(zip(finders, row, strict=True)):
                cell = find(text)
                if cell == UNKNOWN and isinstance(bins[at], NumberBins):
                    raise ReferenceInvalid(
                        f"line {line}, column {names[at]!r}: {text[:40]!r} is not a number"
                    )
                cells[at][cell] += 1
                if slot is not None:
                    slots[at].setdefault(slot, [0] * len(cells[at]))[cell] += 1
    return count, cells, slots


def cell_of_text(feature: Feature) -> Callable[[str], int]:
    """Return the function that finds the cell of what a CSV file has."""
    cell = cell_of(feature)
    if isinstance(feature.bins, NumberBins):

        def find_number(text: str) -> int:
            if text.strip() in _MISSING_TEXTS:
                return MISSING
            number = _finite(text)
            return UNKNOWN if number is None else cell(number)

        return find_number
    are_booleans = feature.bins.categories == ("false", "true")

    def find_category(text: str) -> int:
        if text.strip() in _MISSING_TEXTS:
            return MISSING
        return cell(_BOOLEANS.get(text.strip().lower(), text) if are_booleans else text)

    return find_category


def _finite(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) <= _LARGEST else None
