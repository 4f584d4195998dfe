"""Trying a failed version again, for the API and for pages."""

import json
from typing import Any

from sqlalchemy.orm import Session

from modelport_control_api.errors import InvalidFields
from modelport_control_api.identity import Caller
from modelport_control_api.models.folder_uploads import MAX_SAMPLE_BYTES
from modelport_control_api.models.uploads import sample_of
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry import replacing
from modelport_control_api.registry.records import ModelRecord


async def retry(
    services: ModelsServices,
    caller: Caller,
    model_id: str,
    version: str,
    *,
    sample: Any,
    keep_sample: bool = False,
    environment: str | None = None,
) -> ModelRecord:
    """Return the model, whose last version is the new one.

    `sample`: a row; None: the platform makes one up. `keep_sample`: it is the one before, whatever `sample`
    says. `environment` None: it runs in the same.
    Raises InvalidFields, VersionNotFailed and what a change of the model raises.
    """
    row = None if keep_sample else _checked(sample)
    live = services.statuses.get(model_id)

    def work(session: Session) -> ModelRecord:
        return replacing.retry_version(
            session,
            caller,
            model_id,
            version,
            sample=row,
            keep_sample=keep_sample,
            environment=environment,
            live=live,
        )

    with services.reader.changing(caller.principal, model_id):
        return await services.transactions.write(work)


def _checked(sample: Any) -> dict[str, Any] | None:
    if sample is None:
        return None
    if len(json.dumps(sample)) > MAX_SAMPLE_BYTES:
        raise InvalidFields(("sample", f"must have at most {MAX_SAMPLE_BYTES // 1024} KiB"))
    try:
        return sample_of(sample)
    except ValueError as error:
        raise InvalidFields(("sample", str(error))) from error
