"""An uploaded file on its way to being a version: received, recognized, stored, and only then named."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_args

from modelport_crds.mlmodel import Acceleration
from modelport_crds.names import VERSION_NAME
from modelport_environments.catalogue import ENSEMBLE
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
from modelport_control_api.identity import Caller
from modelport_control_api.models.code_uploads import MAX_CODE_BYTES, Composed, composed
from modelport_control_api.models.ensembles import composing
from modelport_control_api.models.ensembles import request as ensemble_request
from modelport_control_api.models.ensembles.finding import Look, find
from modelport_control_api.models.folder_uploads import MAX_SAMPLE_BYTES, taken_out
from modelport_control_api.models.requirements import locking
from modelport_control_api.models.requirements.locking import LockedRequirements
from modelport_control_api.registry import environments, service
from modelport_control_api.registry.quotas import Limits
from modelport_control_api.registry.records import ModelRecord, OwnRequirements
from modelport_control_api.registry.rollout import Rollout
from modelport_control_api.registry.service import NewVersion
from modelport_control_api.registry.tables import DEFAULT_ACCELERATION
from modelport_control_api.sniff.detect import normalize_framework
from modelport_control_api.sniff.own_code import FIELD
from modelport_control_api.uploads.form import FILE_FIELD, Form, ReceivedUpload
from modelport_control_api.uploads.receive import receive_upload
from modelport_control_api.uploads.room import Room


def parse_sample(text: str) -> dict[str, Any]:
    """Read one bare row (object, list or string) or `{"input": row}`; give `{"input": row}`.

    `"made_up": true` beside it: the row names the columns, and the model may raise on its values.

    Raises ValueError that names what is accepted.
    """
    try:
        value = bodies.loads(text)
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from None
    return sample_of(value)


def sample_of(value: Any) -> dict[str, Any]:
    """The same of what JSON was read as."""
    is_made_up = isinstance(value, dict) and value.keys() == {"input", "made_up"} and value["made_up"] is True
    is_body = is_made_up or (isinstance(value, dict) and value.keys() == {"input"})
    row = value["input"] if is_body else value
    if not isinstance(row, dict | list | str):
        raise ValueError('must be one row: an object, a list or a string, bare or as {"input": row}')
    return {"input": row} | ({"made_up": True} if is_made_up else {})


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
    ensemble_request.FIELD: ensemble_request.MAX_TEXT_BYTES,
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
    "rollout": 16,
    ensemble_request.FIELD: ensemble_request.MAX_TEXT_BYTES,
}


def model_form(max_file_bytes: int, max_reference_bytes: int) -> Form:
    """Return the form of a new model, which needs `name`, and `file` or `ensemble`. Limits are in bytes."""
    return _form(_MODEL_TEXTS, frozenset({"name"}), max_file_bytes, max_reference_bytes)


def version_form(max_file_bytes: int, max_reference_bytes: int) -> Form:
    """Return the form of a new version, which needs `file` or `ensemble`. Both limits are in bytes."""
    return _form(_VERSION_TEXTS, frozenset(), max_file_bytes, max_reference_bytes)


def _form(
    texts: Mapping[str, int], required: frozenset[str], max_file_bytes: int, max_reference_bytes: int
) -> Form:
    files = {_REFERENCE: max_reference_bytes, FIELD: MAX_CODE_BYTES}
    return Form(texts, required, max_file_bytes, files, instead_of_file=ensemble_request.FIELD)


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
    async def receiving(self, request: Request, form: Form, look: Look) -> AsyncIterator["StagedUpload"]:
        """Receive the body and identify it. Raises UploadError, InvalidFields or an error of `sniff`.

        look: finds the members of an ensemble, among what the caller may have the files of.
        """
        incoming = self.store.incoming
        async with (
            receive_upload(
                request, form, incoming, idle_seconds=self.idle_seconds, reserve=self.reserve
            ) as received,
            self.staged(received, form.max_file_bytes, look) as staged,
        ):
            yield staged

    @asynccontextmanager
    async def staged(
        self, received: ReceivedUpload, max_bytes: int, look: Look
    ) -> AsyncIterator["StagedUpload"]:
        """Yield what was received as what is to be stored. Raises as `receiving` does."""
        check_texts(received.texts)
        async with self._composed(received, max_bytes, look) as parts:
            reference = await asyncio.to_thread(_profile, received)
            async with self._locked(parts) as own:
                environment = own.environment if own else await asyncio.to_thread(self._environment, parts)
                version = _new_version(parts, environment, reference, own)
                yield StagedUpload(
                    parts.stored.texts,
                    version,
                    parts.stored.path,
                    own.lock if own else None,
                    received.extra_files.get(_REFERENCE),
                )

    @asynccontextmanager
    async def _composed(
        self, received: ReceivedUpload, max_bytes: int, look: Look
    ) -> AsyncIterator[Composed]:
        """What is in a folder of another tool is taken out; members of an ensemble come from the store."""
        if text := received.texts.get(ensemble_request.FIELD):
            _require_nothing_else(received)
            found = await find(ensemble_request.parse(text), look)
            room = self._room(max_bytes + composing.MANIFEST_BYTES)
            async with composing.composed(received, found, self.store, room) as stored:
                yield Composed(stored, ENSEMBLE, None, found)
            return
        received.require_content()
        async with (
            taken_out(received, self._room(max_bytes)) as taken,
            # Beside its parts the archive has a list of them.
            composed(taken.upload, self._room(max_bytes + 2 * MAX_CODE_BYTES), taken.code) as parts,
        ):
            yield replace(parts, versions=taken.versions)

    def _room(self, max_bytes: int) -> Room:
        return Room(self.store.incoming, max_bytes, self.reserve)

    @asynccontextmanager
    async def _locked(self, parts: Composed) -> AsyncIterator[LockedRequirements | None]:
        if parts.ensemble is not None and parts.ensemble.own is not None:
            async with self._lock_again(parts.ensemble.own) as again:
                yield again
            return
        text = parts.stored.texts.get(locking.FIELD, "")
        if not text.strip():
            yield None
            return
        room = self._room(MAX_LOCK_BYTES)
        async with locking.locked(text, parts.framework, self.resolver, room) as own:
            yield own

    @asynccontextmanager
    async def _lock_again(self, own: OwnRequirements) -> AsyncIterator[LockedRequirements]:
        """That of an ensemble's members is stored once more: they may be deleted meanwhile."""
        _, stream = await self.store.open_stream(own.lock_sha256)
        lock = b"".join([piece async for piece in stream])
        async with self._room(MAX_LOCK_BYTES).holding(iter([lock])) as (path, _, _):
            yield LockedRequirements(own, path)

    def _environment(self, parts: Composed) -> str | None:
        if parts.ensemble is not None:
            return parts.ensemble.environment
        if name := parts.stored.texts.get("environment"):
            return environments.named(name, parts.framework)
        if parts.model is None:
            return None
        return environments.needed_by(
            parts.model, parts.framework, choose_by_file=self.choose_environments, told=parts.versions
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

    def make_model(self, session: Session, caller: Caller, limits: Limits) -> ModelRecord:
        """Make a model of it. Raises QuotaReached."""
        return service.create_model(
            session,
            caller,
            name=self.texts["name"].strip(),
            description=self.texts.get("description", ""),
            # A form in a browser sends fields that were left empty, too.
            acceleration=self.texts.get("acceleration") or DEFAULT_ACCELERATION,
            version=self.version,
            limits=limits,
        )

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
        "rollout": _guarded,
        "acceleration": _check_acceleration,
        "replaces": _check_version_name,
        locking.FIELD: locking.check,
        ensemble_request.FIELD: lambda _: None,
    }
    errors: dict[str, str] = {}
    for field, text in texts.items():
        try:
            checks[field](text)
        except ValueError as error:
            errors[field] = str(error)
    if texts.get(locking.FIELD, "").strip() and texts.get("environment"):
        errors["environment"] = "and requirements contradict each other: give one of them"
    if texts.get("rollout"):
        errors |= _of_a_rollout(texts)
    if errors:
        raise InvalidFields(*errors.items())


def rollout_of(texts: Mapping[str, str]) -> Rollout:
    """Return what a new version is to get. The texts are checked."""
    return Rollout(
        _share(texts.get("traffic", "")),
        force=_force(texts.get("force", "")),
        instead_of=texts.get("replaces") or None,
        guarded=_guarded(texts.get("rollout", "")),
    )


def _guarded(text: str) -> bool:
    if text not in ("", "guarded"):
        raise ValueError("must be guarded (a rollout that proves itself begins), or left out")
    return text == "guarded"


def _of_a_rollout(texts: Mapping[str, str]) -> dict[str, str]:
    errors = {}
    if texts.get("traffic", "0") not in ("", "0"):
        errors["traffic"] = "is the rollout's: leave it out"
    if texts.get("force") == "true":
        errors["force"] = "moves the traffic at once, and a rollout does not: leave one of them out"
    return errors


def _profile(upload: ReceivedUpload) -> Profile | None:
    path = upload.extra_files.get(_REFERENCE)
    if path is None:
        return None
    try:
        return profile_csv(path)
    except ReferenceInvalid as error:
        raise InvalidFields((_REFERENCE, str(error))) from error


_OF_MEMBERS = ("model_type", "environment", locking.FIELD)


def _require_nothing_else(received: ReceivedUpload) -> None:
    """Raises InvalidFields for what an ensemble has of its members."""
    sent = [name for name in _OF_MEMBERS if received.texts.get(name)]
    sent += [FILE_FIELD] if received.size else []
    sent += [FIELD] if FIELD in received.extra_files else []
    if sent:
        raise InvalidFields(*((name, "is an ensemble's members': leave it out") for name in sent))


def _new_version(
    parts: Composed,
    environment: str | None,
    reference: Profile | None,
    own: LockedRequirements | None,
) -> NewVersion:
    # A form in a browser sends fields that were left empty, too: the same as leaving them out.
    upload = parts.stored
    sample = upload.texts.get("sample")
    return NewVersion(
        framework=parts.framework,
        sha256=upload.sha256,
        size=upload.size,
        sample=parse_sample(sample) if sample else None,
        environment=environment,
        reference=reference,
        own=own.own if own else None,
        ensemble=parts.ensemble.described() if parts.ensemble else None,
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
