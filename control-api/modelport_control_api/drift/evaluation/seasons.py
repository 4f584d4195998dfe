"""What the reference has at the hours, of weekdays or of weekends, that a window is from."""

from collections.abc import Mapping, Sequence

from modelport_control_api.drift.profiles.profile import ColumnProfile
from modelport_control_api.drift.profiles.times import HOURS

_ROWS_OF_AN_HOUR = 20
_COVERED = 0.9


def at_hours(column: ColumnProfile, live: Mapping[int, int]) -> tuple[list[float], float] | None:
    """Return the cells that are expected of rows of these hours, and how many rows of the reference show it.

    `live`: rows of each hour, as `times` has them. None: the reference has no times, or too few rows of
    those hours.
    """
    found = {slot: _cells_of(column, slot) for slot in live}
    known = {slot: cells for slot, cells in found.items() if sum(cells) >= _ROWS_OF_AN_HOUR}
    covered = {slot: live[slot] for slot in known}
    total = sum(covered.values())
    if not total or total < _COVERED * sum(live.values()):
        return None
    weights = {slot: rows / total for slot, rows in covered.items()}
    sizes = {slot: sum(known[slot]) for slot in weights}
    rows = 1 / sum(weight**2 / sizes[slot] for slot, weight in weights.items())
    shares = _mixed([(weight / sizes[slot], known[slot]) for slot, weight in weights.items()])
    return [share * rows for share in shares], rows


def _cells_of(column: ColumnProfile, slot: int) -> list[int]:
    """Return the cells of that hour of such days; of it and its neighbors where those are too few, and then
    of that hour of all days."""
    of_hour = _of_kind(column, slot)
    if sum(of_hour) >= _ROWS_OF_AN_HOUR:
        return of_hour
    day = slot - slot % HOURS
    around = (_of_kind(column, day + (slot + step) % HOURS) for step in (-1, 0, 1))
    pooled = [sum(cells) for cells in zip(*around, strict=True)]
    return pooled if sum(pooled) >= _ROWS_OF_AN_HOUR else column.hours.get(slot % HOURS, [])


def _of_kind(column: ColumnProfile, slot: int) -> list[int]:
    none = [0] * len(column.cells)
    hour, weekend = slot % HOURS, column.weekend.get(slot % HOURS, none)
    if slot >= HOURS:
        return weekend
    return [both - one for both, one in zip(column.hours.get(hour, none), weekend, strict=True)]


def _mixed(parts: Sequence[tuple[float, Sequence[int]]]) -> list[float]:
    return [sum(weight * cells[at] for weight, cells in parts) for at in range(len(parts[0][1]))]
