"""A rate limit as people write it: `10/hour`, `100/minute`."""

from dataclasses import dataclass

_PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


@dataclass(frozen=True, slots=True)
class Limit:
    """A token bucket that holds `requests` and refills evenly over `period_seconds`."""

    requests: int
    period_seconds: int

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """Read `10/hour`. Raises ValueError that says what is accepted."""
        count, _, period = text.strip().partition("/")
        if not count.isdigit() or int(count) < 1 or period not in _PERIODS:
            raise ValueError(
                f"{text!r} is not a rate limit: write <requests>/<{'|'.join(_PERIODS)}>, e.g. 10/hour"
            )
        return cls(int(count), _PERIODS[period])

    def __str__(self) -> str:
        period = next((name for name, seconds in _PERIODS.items() if seconds == self.period_seconds), None)
        return f"{self.requests}/{period or f'{self.period_seconds}s'}"
