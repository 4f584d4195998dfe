"""Which environment a file needs, by what it names: nothing is loaded."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from modelport_environments.catalogue import ENVIRONMENTS, PLATFORM_FRAMEWORKS

OWN_ONLY = Path(__file__).with_name("own_only.json")
"""Environment → classes that only it serves; `bench.environments.matrix` writes it."""
OF_SKLEARN = tuple(name for name, each in ENVIRONMENTS.items() if "sklearn" in each.frameworks)
_RELEASE = re.compile(r"(\d{1,4}\.\d{1,4})")


def choose(versions: Mapping[str, str], references: Iterable[tuple[str, str]]) -> str | None:
    """Return the name of the environment that a file is to run in; None: the platform's own libraries do.

    `versions`: library → version, and `references`: `(module, name)`, as `modelport_formats.scan` finds them.
    """
    name = own_of(versions)
    return name if name is not None and served_only_by(name, references) else None


def served_only_by(name: str, references: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the classes among the references that only this environment serves as they were saved."""
    named = {each for module, each in references if module.partition(".")[0] == "sklearn"}
    return _own_only().get(name, frozenset()) & named


def environment_of(framework: str, versions: Mapping[str, str] = MappingProxyType({})) -> str | None:
    """Return the framework's own environment; None: the platform's libraries serve its models.

    It is that of the release that the file names among its `versions`, or else the newest. Raises LookupError
    for a framework that nothing serves.
    """
    if framework in PLATFORM_FRAMEWORKS:
        return None
    match = _RELEASE.match(versions.get(framework, ""))
    names = [each.name for each in ENVIRONMENTS.values() if framework in each.frameworks]
    own = f"{framework}-{match[1]}" if match else ""
    return own if own in names else names[-1]


def own_of(versions: Mapping[str, str]) -> str | None:
    """Return the name of the environment of what saved a file; None: there is none of that version."""
    match = _RELEASE.match(versions.get("scikit-learn", ""))
    name = f"sklearn-{match[1]}" if match else ""
    return name if name in OF_SKLEARN else None


@cache
def _own_only() -> dict[str, frozenset[str]]:
    read = json.loads(OWN_ONLY.read_text(encoding="utf-8"))
    return {name: frozenset(read.get(name, ())) for name in OF_SKLEARN}
