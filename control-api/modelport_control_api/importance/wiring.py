"""Everything behind the calls on importance, built once."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from modelport_control_api.http.context import provide
from modelport_control_api.importance.keeper import ImportanceKeeper
from modelport_control_api.importance.samples import Samples
from modelport_control_api.models.wiring import ModelsServices


@dataclass(frozen=True)
class ImportanceServices:
    models: ModelsServices
    samples: Samples

    @property
    def keeper(self) -> ImportanceKeeper:
        """What runs in the background."""
        return ImportanceKeeper(self.models, self.samples.files)


ImportanceOf = Annotated[ImportanceServices, Depends(provide(ImportanceServices))]
