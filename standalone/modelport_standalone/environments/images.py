"""The image of a container on one machine: the platform's own Python, and an environment's for its model."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from modelport_control_api.artifacts.store import key_of
from modelport_environments.catalogue import BESIDE_OWN, Environment, find
from modelport_environments.errors import EnvironmentUnavailable, UnknownEnvironment
from modelport_environments.uv import run

from modelport_standalone.environments.store import (
    DEFAULT_MAX_OWN_BYTES,
    EnvironmentStore,
    default_folder,
)

ENVIRONMENT_IMAGES = "environment:"
"""What the name of an environment's image begins with; any other image is the platform's own Python alone."""
_MODEL_PYTHON = "MODELPORT_RUNTIME_MODEL_PYTHON"
_PACKAGES = "MODELPORT_RUNTIME_PACKAGES"
_OF_LOCK = "@sha256:"


@dataclass(frozen=True)
class Images:
    """`artifacts`: the folder of the platform's stored files, where the locks of own requirements are.
    `max_own_bytes`: that the packages of one may have.
    """

    environments: EnvironmentStore = field(default_factory=lambda: EnvironmentStore(default_folder()))
    artifacts: Path | None = None
    max_own_bytes: int = DEFAULT_MAX_OWN_BYTES

    def variables_of(self, image: str) -> Mapping[str, str] | None:
        """Return the variables that the image brings; None: its environment has to be made first."""
        if not image.startswith(ENVIRONMENT_IMAGES):
            return {}
        if lock := _lock_of(image):
            return self._own(lock)
        try:
            python = self.environments.python_of(_environment(image))
        except EnvironmentUnavailable:
            return None
        return None if python is None else {_MODEL_PYTHON: str(python)}

    def _own(self, lock: str) -> Mapping[str, str] | None:
        python = self.environments.python_of(BESIDE_OWN)
        packages = self.environments.packages_of(lock)
        if python is None or packages is None:
            return None
        return {_MODEL_PYTHON: str(python), _PACKAGES: str(packages)}

    async def pull(self, image: str) -> None:
        """Make its environment. Raises EnvironmentUnavailable."""
        # A process of its own: several would keep the platform's threads waiting, and a platform that is
        # stopped waits for its threads, but can end a process.
        code, _, said = await run(self._preparing(image))
        if code:
            raise EnvironmentUnavailable(_last_line(said))

    def _preparing(self, image: str) -> list[str]:
        lock = _lock_of(image)
        if lock is None:
            return _command("prepare", _environment(image).name)
        if self.artifacts is None:
            raise EnvironmentUnavailable("The lock of its own requirements is not on this machine.")
        most = ("--max-bytes", str(self.max_own_bytes))
        return _command("prepare-lock", *most, str(self.artifacts / key_of(lock)))


def _command(*words: str) -> list[str]:
    # -P: modules of the folder that the platform was started in are none of its own.
    return [sys.executable, "-P", "-m", "modelport_standalone.environments.command", *words]


def _lock_of(image: str) -> str | None:
    """Return the digest of the lock that the image is made of; None: it is known by its name."""
    _, _, digest = image.partition(_OF_LOCK)
    return digest or None


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("Error: ") if lines else "It was killed while it was being made."


def _environment(image: str) -> Environment:
    try:
        return find(image.removeprefix(ENVIRONMENT_IMAGES))
    except UnknownEnvironment as error:
        raise EnvironmentUnavailable(f"{error}.") from error
