"""The image of a container on one machine: the Python that runs it."""

import asyncio
import sys
from dataclasses import dataclass, field
from pathlib import Path

from modelport_environments.catalogue import Environment, find
from modelport_environments.errors import EnvironmentUnavailable, UnknownEnvironment

from modelport_standalone.environments.store import EnvironmentStore, default_folder

ENVIRONMENT_IMAGES = "environment:"
"""What the name of an environment's image begins with; any other image is the platform's own Python."""


@dataclass(frozen=True)
class Images:
    environments: EnvironmentStore = field(default_factory=lambda: EnvironmentStore(default_folder()))

    def python_of(self, image: str) -> Path | None:
        """Return the image's Python; None: its environment has to be made first."""
        if not image.startswith(ENVIRONMENT_IMAGES):
            return Path(sys.executable)
        try:
            return self.environments.python_of(_environment(image))
        except EnvironmentUnavailable:
            return None

    async def pull(self, image: str) -> Path:
        """Make its environment, and return its Python. Raises EnvironmentUnavailable."""
        try:
            return await asyncio.to_thread(self.environments.prepare, _environment(image))
        except OSError as error:
            raise EnvironmentUnavailable(f"It cannot be made on this machine: {error}.") from error


def _environment(image: str) -> Environment:
    try:
        return find(image.removeprefix(ENVIRONMENT_IMAGES))
    except UnknownEnvironment as error:
        raise EnvironmentUnavailable(f"{error}.") from error
