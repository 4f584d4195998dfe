"""The JSON of importance, as docs/api.md shows it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from modelport_control_api.importance.tables import Source


class ColumnImportance(BaseModel):
    name: str
    mean: float = Field(description="The mean of its contributions' absolute values.")
    share: float = Field(ge=0, le=1, description="Of all columns' together.")


class SumImportance(BaseModel):
    base: float
    columns: list[ColumnImportance] = Field(description="The largest first.")


class ImportanceAnswer(BaseModel):
    """`columns` are over all classes; `classes` has each one's own, null where one sum speaks for all."""

    model: str
    version: str
    state: Literal["computing", "ready", "failed"]
    message: str
    source: Source = Field(description="Where its rows are from: the reference, or kept predictions.")
    rows: int = Field(description="That it is computed over.")
    scale: str | None = Field(description="Of the contributions, as in a prediction; null until ready.")
    class_: str | None = Field(serialization_alias="class", description="That a single sum speaks for.")
    base: float | None = Field(description="The mean base; null until ready, and with `classes`.")
    columns: list[ColumnImportance] = Field(description="The largest first; empty until ready.")
    classes: dict[str, SumImportance] | None
    started_at: datetime
    computed_at: datetime | None
