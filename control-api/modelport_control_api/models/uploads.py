"""An uploaded file on its way to being a version: received, recognized, stored, and only then named."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from modelport_crds.mlmodel import Acceleration, Framework
from modelport_crds.names import VERSION_NAME
from modelport_environments.locked import MAX_LOCK_BYTES
from modelport_environments.requirements import MAX_BYTES
from modelport_environments.resolving import Resolver
from sqlalchemy.orm import Session
from starlette.requests import Request

from modelport_control_api.artifacts.keeper import ArtifactKeeper
from modelport_control_api.artifacts.store import ArtifactStore
from modelport_control_api.db.session import Transactions
from modelport_control_api.disk import DiskReserve
from modelport_control_api.drift.profiles.csv_rows import ReferenceInvalid
from modelport_control_api.drift.profiles.profile import Profile
from modelport_control_api.drift.profiles.profiling import profile_csv
from modelport_control_api.errors import InvalidFields
from modelport_control_api.http import bodies
from modelport_control_api.models.code_uploads import MAX_CODE_BYTES, Composed, composed
from modelport_control_api.models.folder_uploads import MAX_SAMPLE_BYTES, TakenOut, taken_out
from modelport_control_api.models.requirements import locking
from modelport_control_api.models.requirements.locking import LockedRequirements
from modelport_control_api.registry import environments
from modelport_control_api.registry.rollout import Rollout
from modelport_control_api.registry.service import NewVersion
from modelport_control_api.sniff.detect import normalize_framework
from modelport_control_api.sniff.own_code import FIELD
from modelport_control_api.uploads.form import Form, ReceivedUpload
from modelport_control_api.uploads.receive import receive_upload
from modelport_control_api.uploads.room import Room


def parse_sample(text: str) -> dict[str, Any]:
    """Read one bare row (object, list or string) or `{"input": row}`; give `{"input": row}`.

    Raises ValueError that names what is accepted.
    """
    try:
        value = bodies.loads(text)
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from None
    return sample_of(value)


def sample_of(value: Any) -> dict[str, Any]:
    """The same of what JSON was read as."""
    row = value["input"] if isinstance(value, dict) and value.keys() == {"input"} else value
    if not isinstance(row, dict | list | str):
        raise ValueError('must be one row: an object, a list or a string, bare or as {"input": row}')
    return {"input": row}


T = TypeVar("T")

# int() also reads digits of other scripts, blanks and underscores.
_PERCENT = re.compile(r"100|[1-9]?[0-9]")
NAME_CHARACTERS = 100
DESCRIPTION_CHARACTERS = 10_000
# UTF-8 takes at most four bytes for a character.
_MODEL_TEXTS = {
    "name": NAME_CHARACTERS * 4,
    "model_type": 64,
    "environment": 64,
    locking.FIELD: MAX_BYTES,
    "description": DESCRIPTION_CHARACTERS * 4,
    "sample": MAX_SAMPLE_BYTES,
    "acceleration": 16,
}
_REFERENCE = "reference"
_VERSION_NAME = re.compile(VERSION_NAME)
_VERSION_TEXTS = {
    "model_type": 64,
    "environment": 64,
    locking.FIELD: MAX_BYTES,
    "sample": MAX_SAMPLE_BYTES,
    "traffic": 16,
    "force": 16,
    "replaces": 16,
}


def model_form(max_file_bytes: int, max_reference_bytes: int) -> Form:
    """Return the form of a new model, which needs `name` and `file`. Both limits are in bytes."""
    return Form(_MODEL_TEXTS, frozenset({"name"}), max_file_bytes, _extra_files(max_reference_bytes))


def version_form(max_file_bytes: int, max_reference_bytes: int) -> Form:
    """Return the form of a new version, which needs only `file`. Both limits are in bytes."""
    return Form(_VERSION_TEXTS, frozenset(), max_file_bytes, _extra_files(max_reference_bytes))


def _extra_files(max_reference_bytes: int) -> dict[str, int]:
    return {_REFERENCE: max_reference_bytes, FIELD: MAX_CODE_BYTES}


@dataclass(frozen=True, slots=True)
class UploadService:
    store: ArtifactStore
    keeper: ArtifactKeeper
    transactions: Transactions
    idle_seconds: float
    reserve: DiskReserve
    choose_environments: bool
    resolver: Resolver | None = None
    """None: uploads have no requirements of their own."""

    @asynccontextmanager
    async def receiving(self, request: Request, form: Form) -> AsyncIterator["StagedUpload"]:
        """Receive the body and identify it. Raises UploadError, InvalidFields or an error of `sniff`."""
        incoming = self.store.incoming
        async with (
            receive_upload(
                request, form, incoming, idle_seconds=self.idle_seconds, reserve=self.reserve
            ) as received,
            self._checked(received, form) as taken,
            # Beside its parts the archive has a list of them.
            composed(
                upload := taken.upload, self._room(form.max_file_bytes + 2 * MAX_CODE_BYTES), taken.code
            ) as parts,
        ):
            reference = await asyncio.to_thread(_profile, upload)
            async with self._locked(parts) as own:
                environment = (
                    own.environment
                    if own
                    else await asyncio.to_thread(self._environment, parts, taken.versions)
                )
                version = _new_version(parts.stored, parts.framework, environment, reference, own)
                yield StagedUpload(
                    upload.texts,
                    version,
                    parts.stored.path,
                    own.lock if own else None,
                    upload.extra_files.get(_REFERENCE),
                )

    def _checked(self, upload: ReceivedUpload, form: Form) -> AbstractAsyncContextManager[TakenOut]:
        """Texts are checked first: it takes no time. What is in a folder of another tool is taken out."""
        check_texts(upload.texts)
        return taken_out(upload, self._room(form.max_file_bytes))

    def _room(self, max_bytes: int) -> Room:
        return Room(self.store.incoming, max_bytes, self.reserve)

    @asynccontextmanager
    async def _locked(self, parts: Composed) -> AsyncIterator[LockedRequirements | None]:
        text = parts.stored.texts.get(locking.FIELD, "")
        if not text.strip():
            yield None
            return
        room = self._room(MAX_LOCK_BYTES)
        async with locking.locked(text, parts.framework, self.resolver, room) as own:
            yield own

    def _environment(self, parts: Composed, versions: Mapping[str, str]) -> str | None:
        if name := parts.stored.texts.get("environment"):
            return environments.named(name, parts.framework)
        if parts.model is None:
            return None
        return environments.needed_by(
            parts.model, parts.framework, choose_by_file=self.choose_environments, told=versions
        )

    async def commit(self, staged: "StagedUpload", work: Callable[[Session], T]) -> T:
        """Store the files, then run `work`, which names them, in one transaction: no row without them."""
        files = staged.files()
        try:
            async with AsyncExitStack() as held:
                # In one order, so that no two uploads wait for each other.
                for sha256 in sorted(files):
                    await held.enter_async_context(self.keeper.holding(sha256))
                for sha256, path in files.items():
                    await self.store.put(path, sha256)
                return await self.transactions.write(work)
        except Exception:
            await self.keeper.discard([*files])
            raise


@dataclass(frozen=True, slots=True)
class StagedUpload:
    """`texts` are checked; `path` is the file until it is committed, `lock` that of its own requirements.

    `reference`: the file of training data that came along.
    """

    texts: Mapping[str, str]
    version: NewVersion
    path: Path
    lock: Path | None = None
    reference: Path | None = None

    def files(self) -> dict[str, Path]:
        """Return what is to be stored, by its digest."""
        found = {self.version.sha256: self.path}
        if self.version.own is not None and self.lock is not None:
            found[self.version.own.lock_sha256] = self.lock
        return found


def check_texts(texts: Mapping[str, str]) -> None:
    """Raises InvalidFields that names every text field that is not acceptable."""
    checks: dict[str, Callable[[str], object]] = {
        "name": _check_name,
        "description": _check_description,
        "model_type": lambda text: normalize_framework(text) if text else None,
        "environment": environments.check_name,
        "sample": lambda text: parse_sample(text) if text else None,
        "traffic": _share,
        "force": _force,
        "acceleration": _check_acceleration,
        "replaces": _check_version_name,
        locking.FIELD: locking.check,
    }
    errors: dict[str, str] = {}
    for field, text in texts.items():
        try:
            checks[field](text)
        except ValueError as error:
            errors[field] = str(error)
    if texts.get(locking.FIELD, "").strip() and texts.get("environment"):
        errors["environment"] = "and requirements contradict each other: give one of them"
    if errors:
        raise InvalidFields(*errors.items())


def rollout_of(texts: Mapping[str, str]) -> Rollout:
    """Return what a new version is to get. The texts are checked."""
    return Rollout(
        _share(texts.get("traffic", "")),
        force=_force(texts.get("force", "")),
        instead_of=texts.get("replaces") or None,
    )


def _profile(upload: ReceivedUpload) -> Profile | None:
    path = upload.extra_files.get(_REFERENCE)
    if path is None:
        return None
    try:
        return profile_csv(path)
    except ReferenceInvalid as error:
        raise InvalidFields((_REFERENCE, str(error))) from error


def _new_version(
    upload: ReceivedUpload,
    framework: Framework,
    environment: str | None,
    reference: Profile | None,
    own: LockedRequirements | None,
) -> NewVersion:
    # A form in a browser sends fields that were left empty, too: the same as leaving them out.
    sample = upload.texts.get("sample")
    return NewVersion(
        framework=framework,
        sha256=upload.sha256,
        size=upload.size,
        sample=parse_sample(sample) if sample else None,
        environment=environment,
        reference=reference,
        own=own.own if own else None,
    )


def _check_name(text: str) -> None:
    if not 1 <= len(text.strip()) <= NAME_CHARACTERS:
        raise ValueError(f"must have 1 to {NAME_CHARACTERS} characters")
    if not text.strip().isprintable():
        raise ValueError("must be printable characters only")


def _check_description(text: str) -> None:
    if len(text) > DESCRIPTION_CHARACTERS:
        raise ValueError(f"must have at most {DESCRIPTION_CHARACTERS} characters")
    if "\0" in text:
        raise ValueError("must not hold a NUL character")


def _check_acceleration(text: str) -> None:
    if text not in {"", *get_args(Acceleration)}:
        raise ValueError("must be auto (the default) or off")


def _check_version_name(text: str) -> None:
    if text and not _VERSION_NAME.fullmatch(text):
        raise ValueError("must be the name of a version that has failed, such as v1")


def _share(text: str) -> int | None:
    if not text:
        return None
    if not _PERCENT.fullmatch(text):
        raise ValueError("must be a whole number from 0 (the traffic stays as it is) to 100 (the default)")
    return int(text)


def _force(text: str) -> bool:
    if text not in {"", "true", "false"}:
        raise ValueError("must be true or false (which is the default)")
    return text == "true"
