"""A version's own requirements on their way: read, resolved, locked; or refused, in the resolver's words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from modelport_environments import requirements
from modelport_environments.catalogue import OWN_CODE
from modelport_environments.errors import InvalidRequirements, ResolverAway
from modelport_environments.locked import Locked, own_name, read_lock
from modelport_environments.resolving import Resolver

from modelport_control_api.errors import DomainError, InvalidFields
from modelport_control_api.registry.records import OwnRequirements
from modelport_control_api.uploads.room import Room

FIELD = "requirements"
OF_FOLDER = "folder"
"""What stands for those of the folder that is uploaded."""

# What reads models of a framework, as an index has it, where that has another name. One must be there.
_LIBRARIES = {
    "sklearn": ("scikit-learn",),
    "xgboost": ("xgboost", "xgboost-cpu"),
    "onnx": ("onnxruntime",),
    "autogluon": ("autogluon-tabular",),
    "tensorflow": ("tensorflow", "tensorflow-cpu"),
}


class IndexAway(DomainError):
    """The package index does not respond, so nothing can be locked now."""

    status = 503
    retry_after = 30


@dataclass(frozen=True, slots=True)
class LockedRequirements:
    """`lock`: the file with the lock, until it is stored."""

    own: OwnRequirements
    lock: Path

    @property
    def environment(self) -> str:
        return own_name(self.own.lock_sha256)


def check(text: str) -> None:
    """Raises InvalidRequirements, a ValueError, for a text that is not taken."""
    if text.strip() not in {"", OF_FOLDER}:
        requirements.parse(text)


@asynccontextmanager
async def locked(
    text: str, framework: str, resolver: Resolver | None, room: Room
) -> AsyncIterator[LockedRequirements]:
    """Yield the lock of a checked text. The file is removed at the end unless it was stored.

    Raises InvalidFields and IndexAway. `resolver` None: the platform takes no requirements.
    """
    lock = await resolve(text, framework, resolver)
    packages = read_lock(lock)
    async with room.holding(iter([lock.encode()])) as (path, sha256, size):
        own = OwnRequirements(text, sha256, tuple(map(str, packages)), size)
        yield LockedRequirements(own, path)


async def resolve(text: str, framework: str, resolver: Resolver | None) -> str:
    """Return the lock of what meets them and reads models of the framework. Raises as `locked` does."""
    if resolver is None:
        raise InvalidFields(
            (
                FIELD,
                "are not taken by this platform: leave them out, and name an environment if the model needs "
                "other versions than the platform's",
            )
        )
    try:
        lock = await resolver.lock(requirements.parse(text))
    except InvalidRequirements as error:
        raise InvalidFields((FIELD, str(error).rstrip("."))) from error
    except ResolverAway as error:
        raise IndexAway(f"The requirements cannot be resolved now: {str(error).rstrip('.')}.") from error
    _require_library(read_lock(lock), framework)
    return lock


def _require_library(packages: tuple[Locked, ...], framework: str) -> None:
    wanted = _LIBRARIES.get(framework, (framework,))
    if framework != OWN_CODE and not any(each.name in wanted for each in packages):
        raise InvalidFields(
            (
                FIELD,
                f"bring no {wanted[0]}, which reads models of {framework}: add it, in the version that the "
                f"model was saved with",
            )
        )
