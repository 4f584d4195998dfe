"""One row for each row that was predicted, and one for each row whose truth is known.

No foreign keys: the truth may come before the prediction, and either after the model is gone.
"""

from datetime import datetime

from sqlalchemy import Double, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from modelport_control_api.db.base import Base, utc_now


class _Keyed:
    """`prediction_id`: the request's id, or the row's own where the model has an `id_field`.

    `row`: its place in the request, from 0; 0 where it has an id of its own.
    """

    model_id: Mapped[str] = mapped_column(String(127), primary_key=True)
    prediction_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class ObservedPrediction(_Keyed, Base):
    """What a caller was told. Of one id the latest counts."""

    __tablename__ = "observed_predictions"
    __table_args__ = (
        Index(None, "model_id", "at"),
        # Few rows are a rollout's.
        Index(None, "model_id", "arm", sqlite_where=text("arm <> ''"), postgresql_where=text("arm <> ''")),
    )

    version: Mapped[str] = mapped_column(String(63))
    at: Mapped[datetime]
    """When the response was sent, by the gateway's clock."""
    unit: Mapped[str] = mapped_column(String(32))
    """Stands for the session or caller that a sticky model kept on its version; empty: nothing was kept."""
    arm: Mapped[str] = mapped_column(String(40), default="", server_default="")
    """`3:25:candidate`: rollout, step and which of its versions answered; empty: no rollout chose it."""
    prediction: Mapped[str] = mapped_column(Text)
    """JSON of a text, number or boolean."""
    probabilities: Mapped[str | None] = mapped_column(Text)
    """JSON of class → probability; None: the model has none."""


class FeedbackRow(_Keyed, Base):
    """What turned out to be true. The latest `at` counts, and of equal ones what came last."""

    __tablename__ = "feedback"
    __table_args__ = (Index(None, "model_id", "at"),)

    label: Mapped[str | None] = mapped_column(Text)
    """JSON of a text, number or boolean; None: it is not known."""
    reward: Mapped[float | None] = mapped_column(Double)
    at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
