"""An upload with Python code of a user's own goes on as one archive of code and model file."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from modelport_crds.mlmodel import Framework
from modelport_environments.catalogue import ENSEMBLE, OWN_CODE

from modelport_control_api.errors import InvalidFields
from modelport_control_api.models.ensembles.finding import FoundEnsemble
from modelport_control_api.sniff import own_code
from modelport_control_api.sniff.archived import pieces_of
from modelport_control_api.sniff.detect import detect_framework, normalize_framework
from modelport_control_api.sniff.errors import UnsupportedFormat
from modelport_control_api.sniff.own_code import FIELD, Code
from modelport_control_api.uploads.form import ReceivedUpload
from modelport_control_api.uploads.room import Room

MAX_CODE_BYTES = 32 << 20
AN_ENSEMBLE = "The file is an ensemble, made of uploaded versions: make it again of them (`ensemble`)."


@dataclass(frozen=True, slots=True)
class Composed:
    """`stored`: what becomes the artifact. `model`: the model file; None: it is code, or an ensemble."""

    stored: ReceivedUpload
    framework: Framework
    model: Path | None
    ensemble: FoundEnsemble | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of libraries, as the folder says that the model came in."""


@asynccontextmanager
async def composed(
    upload: ReceivedUpload, room: Room, in_folder: Code | None = None
) -> AsyncIterator[Composed]:
    """Yield what is stored of the upload. Files that are made for it are removed at the end.

    `in_folder`: modules that came in one file with the model. Raises an UploadError,
    InvalidFields or an error of `sniff`.
    """
    declared = upload.texts.get("model_type") or None
    sent = upload.extra_files.get(FIELD)
    if sent is None and in_folder is None:
        framework = await asyncio.to_thread(detect_framework, upload.path, declared)
        if framework == ENSEMBLE:
            raise UnsupportedFormat(AN_ENSEMBLE)
        if framework != OWN_CODE:
            yield Composed(upload, framework, upload.path)
        elif own_code.is_own_archive(upload.path):
            async with _taken_apart(upload, room, declared) as again:
                yield again
        else:
            alone = await asyncio.to_thread(own_code.read_alone, upload.path, upload.file_name)
            async with _archived(upload, alone, room, framework, model=None) as made:
                yield made
        return
    code = in_folder if in_folder is not None else await asyncio.to_thread(_read_sent, upload)
    framework = await asyncio.to_thread(framework_beside, code, upload.path, declared)
    async with _archived(upload, code, room, framework, model=upload.path) as made:
        yield made


def _read_sent(upload: ReceivedUpload) -> Code:
    return own_code.read_code(upload.extra_files[FIELD], upload.extra_names.get(FIELD, ""))


def framework_beside(code: Code, path: Path, declared: str | None = None) -> Framework:
    """Return the framework of the model file; a class Model reads files of any kind, and of none."""
    if code.defines_model and declared and normalize_framework(declared) == OWN_CODE:
        return OWN_CODE
    try:
        found = detect_framework(path, declared)
    except UnsupportedFormat:
        if code.defines_model:
            return OWN_CODE
        raise
    if found == OWN_CODE:
        raise InvalidFields((FIELD, "is given beside a file that is code itself: put both in one zip"))
    return found


@asynccontextmanager
async def _archived(
    upload: ReceivedUpload, code: Code, room: Room, framework: Framework, *, model: Path | None
) -> AsyncIterator[Composed]:
    content = own_code.pieces(code, model, upload.file_name)
    async with room.holding(content) as (path, sha256, size):
        yield Composed(replace(upload, path=path, sha256=sha256, size=size), framework, model)


@asynccontextmanager
async def _taken_apart(upload: ReceivedUpload, room: Room, declared: str | None) -> AsyncIterator[Composed]:
    """An archive that was downloaded is stored as it is; its model file says which framework that is of."""
    manifest = await asyncio.to_thread(own_code.read_manifest, upload.path)
    if manifest.model is None:
        yield Composed(upload, OWN_CODE, None)
        return
    code = await asyncio.to_thread(own_code.code_in, upload.path, manifest)
    async with room.holding(pieces_of(upload.path, manifest.model)) as (path, _, _):
        framework = await asyncio.to_thread(framework_beside, code, path, declared)
        yield Composed(upload, framework, path)
