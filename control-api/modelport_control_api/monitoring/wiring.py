"""Everything behind the drift calls, built once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends

from modelport_control_api.drift.records import DriftThresholds
from modelport_control_api.drift.schemas import Thresholds
from modelport_control_api.http.context import provide
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.settings import DriftSettings


@dataclass(frozen=True)
class DriftServices:
    """`thresholds`: the platform's."""

    models: ModelsServices
    thresholds: Thresholds
    max_reference_bytes: int
    idle_seconds: float

    @classmethod
    def build(cls, settings: DriftSettings, models: ModelsServices) -> "DriftServices":
        thresholds = Thresholds(
            psi_threshold=settings.drift_psi_threshold,
            alpha=settings.drift_alpha,
            window_rows=settings.drift_window_rows,
        )
        return cls(models, thresholds, settings.max_reference_bytes, settings.upload_idle_seconds)

    def thresholds_of(self, own: DriftThresholds) -> Thresholds:
        """Return the version's own thresholds; the platform's where it sets none."""
        platform = self.thresholds
        return Thresholds(
            psi_threshold=own.psi_threshold or platform.psi_threshold,
            alpha=own.alpha or platform.alpha,
            window_rows=own.window_rows or platform.window_rows,
        )

    def signature_of(self, model_id: str, number: int) -> Mapping[str, Any] | None:
        """Return what the loaded version reports of its inputs; None before that."""
        live = self.models.statuses.get(model_id)
        known = live.status.version(f"v{number}") if live else None
        return known.signature if known else None

    def has_answered(self, model_id: str, number: int) -> bool:
        """Whether the cluster reports that the version has answered its sample."""
        live = self.models.statuses.get(model_id)
        known = live.status.version(f"v{number}") if live else None
        return known is not None and known.answered


Drift = Annotated[DriftServices, Depends(provide(DriftServices))]
