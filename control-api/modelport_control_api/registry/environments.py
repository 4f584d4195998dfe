"""Which environment a version is to have: the one that is named, or the one that its file needs."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from modelport_environments.catalogue import OWN_CODE, PLATFORM, find
from modelport_environments.choice import choose, environment_of
from modelport_environments.errors import UnknownEnvironment
from modelport_formats.scan import scan

from modelport_control_api.errors import InvalidFields


def check_name(name: str) -> None:
    """Raises ValueError for a name that is neither an environment's nor `platform`."""
    if name not in {"", PLATFORM}:
        find(name)


def named(name: str, framework: str) -> str | None:
    """Return what a version has that names it; None: the platform's own libraries. Raises InvalidFields."""
    if name == PLATFORM:
        if own := environment_of(framework):
            raise InvalidFields(
                (
                    "environment",
                    f"{PLATFORM} has no library of its own for models of {framework}: "
                    f"give {own}, or leave environment out",
                )
            )
        return None
    try:
        served = find(name).frameworks
    except UnknownEnvironment as error:
        raise InvalidFields(("environment", str(error))) from error
    # Code of a user's own runs in any of them: it alone knows which libraries it needs.
    if framework not in served and framework != OWN_CODE:
        raise InvalidFields(
            ("environment", f"{name} serves {', '.join(served)}, and the file holds a {framework} model")
        )
    return name


def needed_by(
    path: Path,
    framework: str,
    *,
    choose_by_file: bool,
    told: Mapping[str, str] = MappingProxyType({}),
) -> str | None:
    """Return what a version has that names none; None: the platform's own libraries. Blocking.

    A framework that the platform has no library for always has its own environment. Of others the file
    decides, if `choose_by_file`: without the environment it is not served as it was saved. `told`: versions
    of libraries that were told with it, of which those in the file itself come first.
    """
    is_served_here = environment_of(framework) is None
    if is_served_here and not choose_by_file:
        return None
    found = scan(path)
    versions = {**told, **found.versions}
    if not is_served_here:
        return environment_of(framework, versions)
    return choose(versions, found.references, found.traits)
