"""The bill of materials of a version: what is locked in the environment that it runs in."""

import json
from collections.abc import AsyncIterator

from modelport_environments.catalogue import find
from modelport_environments.errors import UnknownEnvironment
from modelport_environments.locked import MAX_LOCK_BYTES, Locked, read_lock
from modelport_environments.sbom import MEDIA_TYPE, build_sbom
from starlette.responses import Response

from modelport_control_api.artifacts.store import ArtifactStore
from modelport_control_api.registry.errors import ModelError
from modelport_control_api.registry.records import VersionRecord


class NothingLocked(ModelError):
    """It has no lock that is known here."""

    status = 409


async def packages_of(store: ArtifactStore, version: VersionRecord) -> tuple[Locked, ...]:
    """Return what the version runs with. Raises NothingLocked and ArtifactMissing."""
    if version.own is not None:
        _, stream = await store.open_stream(version.own.lock_sha256)
        return read_lock(await _text(stream))
    if version.environment is None:
        raise NothingLocked(
            f"{version.name} runs with the platform's own libraries: their versions are in `libraries`."
        )
    try:
        return read_lock(find(version.environment).lock.read_text(encoding="utf-8"))
    except UnknownEnvironment:
        raise NothingLocked(
            f"{version.name} runs in {version.environment}, which this release does not know."
        ) from None


def respond(name: str, packages: tuple[Locked, ...]) -> Response:
    """Return the document, as a file of that name. `name`: of what has these packages."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.cdx.json"'}
    return Response(json.dumps(build_sbom(name, packages), indent=1), media_type=MEDIA_TYPE, headers=headers)


async def _text(stream: AsyncIterator[bytes]) -> str:
    content = b"".join([piece async for piece in stream])
    return content[:MAX_LOCK_BYTES].decode()
