"""Everything behind the calls on quality, built once."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends

from modelport_control_api.http.context import provide
from modelport_control_api.models.wiring import ModelsServices


@dataclass(frozen=True)
class QualityServices:
    models: ModelsServices
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Rows of one response at a time are in memory."""


Quality = Annotated[QualityServices, Depends(provide(QualityServices))]
