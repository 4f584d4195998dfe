"""An upload that is a folder of another tool goes on as the model in it, as if that had been sent alone."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from modelport_formats.frameworks.folder_files import MARKS

from modelport_control_api.errors import InvalidFields
from modelport_control_api.http import bodies
from modelport_control_api.models.code_uploads import MAX_CODE_BYTES
from modelport_control_api.models.requirements.locking import FIELD, OF_FOLDER, check
from modelport_control_api.sniff import own_code
from modelport_control_api.sniff.archived import packed, pieces_of
from modelport_control_api.sniff.folders.finding import find
from modelport_control_api.sniff.folders.found import ModelFolder
from modelport_control_api.sniff.own_code import Code
from modelport_control_api.uploads.form import ReceivedUpload
from modelport_control_api.uploads.room import Room

MAX_SAMPLE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class TakenOut:
    """`code`: modules that the model file names; None: there are none. `versions`: of libraries, as the
    folder says them."""

    upload: ReceivedUpload
    code: Code | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


@asynccontextmanager
async def taken_out(upload: ReceivedUpload, room: Room) -> AsyncIterator[TakenOut]:
    """Yield the model of a folder, or the upload itself. Files that are made are removed at the end.

    Raises an UploadError, InvalidFields, UnsupportedFormat or CorruptArtifact.
    """
    found = await asyncio.to_thread(find, upload.path)
    wants_its_own = upload.texts.get(FIELD, "").strip() == OF_FOLDER
    if wants_its_own and (found is None or found.requirements is None):
        raise InvalidFields(
            (FIELD, f"are {OF_FOLDER!r}, and the file is no model folder with a requirements.txt")
        )
    if found is None:
        yield TakenOut(upload)
        return
    async with AsyncExitStack() as made:
        path, sha256, size = await made.enter_async_context(room.holding(model_pieces(upload.path, found)))
        texts = {**sample_of_example(found), **_sent(upload)}
        if wants_its_own:
            texts[FIELD] = _checked(found.requirements or "")
        name = found.model.rstrip("/").rpartition("/")[2]
        alone = replace(upload, path=path, sha256=sha256, size=size, texts=texts, file_name=name)
        alone.require_content()
        code = None
        if found.code is not None:
            _refuse_other_code(upload)
            small = replace(room, max_bytes=min(room.max_bytes, MAX_CODE_BYTES))
            held = await made.enter_async_context(small.holding(code_pieces(upload.path, found)))
            code = own_code.modules_of(held[0])
        yield TakenOut(alone, code, found.versions)


def model_pieces(path: Path, found: ModelFolder) -> Iterator[bytes]:
    """Yield the bytes of what goes on. Raises UnsupportedFormat or CorruptArtifact."""
    if not found.packed:
        return pieces_of(path, found.model)
    return packed(path, found.packed, MARKS[found.packed_as] if found.packed_as else None)


def code_pieces(path: Path, found: ModelFolder) -> Iterator[bytes]:
    """Yield a zip of the modules in the folder. Raises UnsupportedFormat or CorruptArtifact."""
    return packed(path, found.code or "")


def _refuse_other_code(upload: ReceivedUpload) -> None:
    if own_code.FIELD in upload.extra_files:
        raise InvalidFields(
            (own_code.FIELD, "is given beside a folder that brings code of its own: put both in the folder")
        )


def _checked(text: str) -> str:
    try:
        check(text)
    except ValueError as error:
        raise InvalidFields((FIELD, f"of the folder {error}")) from error
    return text


def _sent(upload: ReceivedUpload) -> dict[str, str]:
    # A form in a browser sends fields that were left empty, too.
    return {name: text for name, text in upload.texts.items() if text or name != "sample"}


def sample_of_example(found: ModelFolder) -> dict[str, str]:
    """Return the field `sample` of an upload; nothing where the row could not have been sent as one."""
    row = found.row
    try:
        text = json.dumps({"input": row} | ({"made_up": True} if found.is_made_up else {}))
        bodies.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {"sample": text} if row is not None and len(text.encode()) <= MAX_SAMPLE_BYTES else {}
