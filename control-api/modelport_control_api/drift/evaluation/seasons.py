"""What the reference has at the hours of the day that a window is from."""

from collections.abc import Mapping, Sequence

from modelport_control_api.drift.profiles.profile import ColumnProfile

_ROWS_OF_AN_HOUR = 20
_COVERED = 0.9


def at_hours(column: ColumnProfile, live: Mapping[int, int]) -> tuple[list[float], float] | None:
    """Give the cells that are expected of rows of these hours, and how many rows of the reference say so.

    `live`: rows of each hour of the day. None: the reference has no times, or too few rows of those hours.
    """
    known = {hour: cells for hour, cells in column.hours.items() if sum(cells) >= _ROWS_OF_AN_HOUR}
    covered = {hour: rows for hour, rows in live.items() if hour in known}
    total = sum(covered.values())
    if not total or total < _COVERED * sum(live.values()):
        return None
    weights = {hour: rows / total for hour, rows in covered.items()}
    sizes = {hour: sum(known[hour]) for hour in weights}
    rows = 1 / sum(weight**2 / sizes[hour] for hour, weight in weights.items())
    shares = _mixed([(weight / sizes[hour], known[hour]) for hour, weight in weights.items()])
    return [share * rows for share in shares], rows


def _mixed(parts: Sequence[tuple[float, Sequence[int]]]) -> list[float]:
    return [sum(weight * cells[at] for weight, cells in parts) for at in range(len(parts[0][1]))]
