"""How live inputs compare with the rows that a version was trained on, and which of them matter to it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class FeatureDrift:
    """`psi` and `p_value`: None until a window is full. `summary`: what it was and is, where it changed.

    `change`: `small` (certain, but too little to be drift), `large` (it drifts) or `none`. `expected_change`:
    by how much accuracy is to change if it alone moves; None: the calibration has no rows with it.
    """

    name: str
    drifts: bool
    psi: float | None
    p_value: float | None
    summary: str
    change: str = "none"
    expected_change: float | None = None


@dataclass(frozen=True)
class Drift:
    """`state`: `no_reference`, `collecting`, `ok` or `drift`. `features`: the worst first."""

    version: str
    state: str
    message: str
    rows: int
    features: tuple[FeatureDrift, ...]
    raw: Json = field(repr=False, compare=False)
    """The whole response, with both distributions of every feature."""

    @classmethod
    def from_json(cls, data: Json) -> "Drift":
        """Read the API's JSON. Raises KeyError without version or state, or without a feature's figures."""
        return cls(
            version=data["version"],
            state=data["state"],
            message=data.get("message") or "",
            rows=data.get("rows") or 0,
            features=tuple(
                FeatureDrift(
                    name=each["name"],
                    drifts=each["drifts"],
                    psi=each["psi"],
                    p_value=each["p_value"],
                    summary=each.get("summary") or "",
                    change=each.get("change") or "none",
                    expected_change=each.get("expected_change"),
                )
                for each in data.get("features") or ()
            ),
            raw=data,
        )


@dataclass(frozen=True)
class ColumnImportance:
    """`mean`: of its contributions' absolute values; `share`: of all columns' together."""

    name: str
    mean: float
    share: float


@dataclass(frozen=True)
class Importance:
    """`state`: `computing`, `ready` or `failed` (see `message`). `source`: `reference` or `history`.

    `columns`: the largest first, over all classes; `classes`: each one's own, empty where one sum speaks for
    all.
    """

    model: str
    version: str
    state: str
    message: str
    source: str
    rows: int
    scale: str | None
    columns: tuple[ColumnImportance, ...]
    classes: dict[str, tuple[ColumnImportance, ...]]
    computed_at: datetime | None
    raw: Json = field(repr=False, compare=False)
    """The whole response."""

    @classmethod
    def from_json(cls, data: Json) -> "Importance":
        """Read the API's JSON. Raises KeyError without model, version, state or source."""
        computed_at = data.get("computed_at")
        return cls(
            model=data["model"],
            version=data["version"],
            state=data["state"],
            message=data.get("message") or "",
            source=data["source"],
            rows=data.get("rows") or 0,
            scale=data.get("scale"),
            columns=_columns(data.get("columns")),
            classes={name: _columns(each["columns"]) for name, each in (data.get("classes") or {}).items()},
            computed_at=datetime.fromisoformat(computed_at) if computed_at else None,
            raw=data,
        )


def _columns(data: list[Json] | None) -> tuple[ColumnImportance, ...]:
    return tuple(ColumnImportance(each["name"], each["mean"], each["share"]) for each in data or ())
