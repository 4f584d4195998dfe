"""Which columns the predictions of a version depend on."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


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
