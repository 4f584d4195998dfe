"""What became of feedback: how much of it counts, and what was wrong with the rest."""

from dataclasses import dataclass
from typing import Any

_SHOWN_ERRORS = 20


@dataclass(frozen=True)
class FeedbackError:
    """`item`: its number from 1, or of a file the number of its line."""

    item: int
    message: str


@dataclass(frozen=True)
class FeedbackReport:
    """`errors`: of the first twenty that were rejected."""

    accepted: int
    rejected: int
    errors: tuple[FeedbackError, ...]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "FeedbackReport":
        """Read the API's JSON. Raises KeyError where a number is missing."""
        errors = tuple(FeedbackError(each["item"], each["message"]) for each in data.get("errors") or ())
        return cls(data["accepted"], data["rejected"], errors)

    def with_piece(self, piece: "FeedbackReport", *, lines_before: int) -> "FeedbackReport":
        """Add the report of a later piece of the same file."""
        moved = tuple(FeedbackError(each.item + lines_before, each.message) for each in piece.errors)
        return FeedbackReport(
            self.accepted + piece.accepted,
            self.rejected + piece.rejected,
            (self.errors + moved)[:_SHOWN_ERRORS],
        )
