"""Everything behind the calls on quality, built once."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

from fastapi import Depends

from modelport_control_api.http.context import provide
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.settings import DriftSettings


@dataclass(frozen=True)
class QualityServices:
    models: ModelsServices
    max_calibration_bytes: int
    idle_seconds: float
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Rows of one response at a time are in memory."""

    @classmethod
    def build(cls, settings: DriftSettings, models: ModelsServices) -> Self:
        # A calibration is a reference of predictions.
        return cls(models, settings.max_reference_bytes, settings.upload_idle_seconds)

    def signature_of(self, model_id: str, version: str) -> Mapping[str, Any] | None:
        """Return what the loaded version reports of itself; None before that, and when it is gone."""
        live = self.models.statuses.get(model_id)
        known = live.status.version(version) if live else None
        return known.signature if known else None


Quality = Annotated[QualityServices, Depends(provide(QualityServices))]
