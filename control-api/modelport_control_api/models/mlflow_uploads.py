"""An upload that is an MLflow folder goes on as the model file in it, as if that had been sent alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from modelport_control_api.errors import InvalidFields
from modelport_control_api.http import bodies
from modelport_control_api.models.requirements.locking import FIELD, OF_FOLDER, check
from modelport_control_api.sniff.archived import pieces_of
from modelport_control_api.sniff.mlflow.folder import find
from modelport_control_api.uploads.form import ReceivedUpload
from modelport_control_api.uploads.room import Room

MAX_SAMPLE_BYTES = 64 * 1024


@asynccontextmanager
async def taken_out(upload: ReceivedUpload, room: Room) -> AsyncIterator[ReceivedUpload]:
    """Yield the model file of an MLflow folder, or the upload itself. The file is removed at the end.

    Raises an UploadError, UnsupportedFormat or CorruptArtifact.
    """
    found = await asyncio.to_thread(find, upload.path)
    wants_its_own = upload.texts.get(FIELD, "").strip() == OF_FOLDER
    if wants_its_own and (found is None or found.requirements is None):
        raise InvalidFields(
            (FIELD, f"are {OF_FOLDER!r}, and the file is no MLflow folder with a requirements.txt")
        )
    if found is None:
        yield upload
        return
    async with room.holding(pieces_of(upload.path, found.file)) as (path, sha256, size):
        texts = {**sample_of_example(found.row), **_sent(upload)}
        if wants_its_own:
            texts[FIELD] = _checked(found.requirements or "")
        name = found.file.rpartition("/")[2]
        alone = replace(upload, path=path, sha256=sha256, size=size, texts=texts, file_name=name)
        alone.require_content()
        yield alone


def _checked(text: str) -> str:
    try:
        check(text)
    except ValueError as error:
        raise InvalidFields((FIELD, f"of the folder {error}")) from error
    return text


def _sent(upload: ReceivedUpload) -> dict[str, str]:
    # A form in a browser sends fields that were left empty, too.
    return {name: text for name, text in upload.texts.items() if text or name != "sample"}


def sample_of_example(row: Any) -> dict[str, str]:
    """Return the field `sample` of an upload; nothing where the row could not have been sent as one."""
    try:
        text = json.dumps({"input": row})
        bodies.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {"sample": text} if row is not None and len(text.encode()) <= MAX_SAMPLE_BYTES else {}
