"""Numbers and times as users read them: the filters of all templates."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from modelport_http.wording import counted

from modelport_control_api.db.base import utc_now

_UNITS = ((60, "second"), (60, "minute"), (24, "hour"), (30, "day"), (12, "month"))
NOTHING = "–"
_JUST_NOW_SECONDS = 10


def number(value: float | None, digits: int = 0) -> str:
    """`12,345`; a dash for None."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 1 as `12.3 %`."""
    return NOTHING if share is None else f"{share * 100:.{digits}f} %"


def milliseconds(seconds: float | None) -> str:
    """Seconds as `0.8 ms`, `12 ms`, `1,234 ms`."""
    if seconds is None:
        return NOTHING
    value = seconds * 1000
    return f"{value:,.1f} ms" if value < 10 else f"{value:,.0f} ms"


def size(count: float | None) -> str:
    """Bytes as `1.2 MB`, by thousands."""
    if count is None:
        return NOTHING
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"


def duration(seconds: float | None) -> str:
    """`8 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds is None:
        return NOTHING
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _joined((whole // 60, "min"), (whole % 60, "s"))
    return _joined((whole // 3600, "h"), (whole % 3600 // 60, "min"))


def _joined(*parts: tuple[int, str]) -> str:
    return " ".join(f"{amount} {unit}" for amount, unit in parts if amount)


def ago(moment: datetime | None) -> str:
    """`just now`, `3 minutes ago`, `in 2 days`; a dash for None."""
    if moment is None:
        return NOTHING
    seconds = (utc_now() - moment).total_seconds()
    if abs(seconds) < _JUST_NOW_SECONDS:
        return "just now"
    # A day that began a moment ago is read as a day, not as 23 hours.
    return f"{_count(seconds)} ago" if seconds > 0 else f"in {_count(_JUST_NOW_SECONDS - seconds)}"


def exact(moment: datetime | None) -> str:
    """`2026-03-01 14:05:09 UTC`."""
    return NOTHING if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def day(moment: datetime | None) -> str:
    """`2026-03-01`; a dash for None."""
    return NOTHING if moment is None else f"{moment:%Y-%m-%d}"


class HasStatus(Protocol):
    """A model, whose `traffic` is of its versions, or a version, whose it is its own."""

    @property
    def status(self) -> str: ...

    @property
    def traffic(self) -> object: ...


def status_word(thing: HasStatus) -> str:
    """`Ready`, `Starting`, `Failed`, `Degraded`; `Updating` of what serves while it is about to change."""
    if thing.status == "pending":
        return "Updating" if thing.traffic else "Starting"
    return thing.status.capitalize()


def _count(amount: float) -> str:
    for step, unit in _UNITS:
        if amount < step:
            return counted(int(amount), unit)
        amount /= step
    return counted(int(amount), "year")


FILTERS: dict[str, Callable[..., Any]] = {
    "status_word": status_word,
    "number": number,
    "counted": counted,
    "percent": percent,
    "milliseconds": milliseconds,
    "size": size,
    "duration": duration,
    "ago": ago,
    "exact": exact,
    "day": day,
}
