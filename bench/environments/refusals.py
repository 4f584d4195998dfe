"""Which files of the matrix may be refused: each with its reason, and a piece of its message."""

from dataclasses import dataclass

_ALL: frozenset[str] = frozenset()
_BINARY = frozenset({"deprecated"})
_PICKLED = frozenset({"joblib", "pickle", "skops", "booster.pickle"})


@dataclass(frozen=True)
class Refusal:
    """`releases`: of the library. `kind`: of the model, None for all. `formats`: empty for all."""

    library: str
    releases: frozenset[str]
    kind: str | None
    formats: frozenset[str]
    reason: str
    words: str

    def is_of(self, row: str, kind: str, form: str) -> bool:
        library, _, version = row.partition("-")
        return (
            library == self.library
            and version.rpartition(".")[0] in self.releases
            and (self.kind is None or kind == self.kind)
            and (not self.formats or form in self.formats)
        )


def _of_xgboost(releases: str, kind: str | None, formats: frozenset[str], words: str) -> Refusal:
    return Refusal("xgboost", frozenset(releases.split()), kind, formats, "LibraryMismatch", words)


_LOST = "The categories of 'color' are not in the file"
_BEFORE_JSON = "hold XGBoost's binary format"
REFUSALS = (
    _of_xgboost("1.6 1.7 2.0 2.1 3.0", "categories", _ALL, _LOST),
    # What 1.5 writes as `.ubj` is its binary format.
    _of_xgboost("1.5", "gamma", frozenset({"ubj", "deprecated"}), "binary format of reg:gamma is not read"),
    _of_xgboost("1.6 1.7 2.0", "gamma", _BINARY, "binary format of reg:gamma is not read"),
    _of_xgboost("1.5", None, _PICKLED, _BEFORE_JSON),
)


def is_right(row: str, kind: str, form: str, outcome: tuple[str, str]) -> bool:
    """Whether a file of the row may be refused, and is for that reason."""
    reason, message = outcome
    return any(
        each.is_of(row, kind, form) and reason == each.reason and each.words in message for each in REFUSALS
    )
