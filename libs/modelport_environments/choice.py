"""Which environment a file needs, by what it names: nothing is loaded."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from modelport_environments.catalogue import ENVIRONMENTS, PLATFORM_FRAMEWORKS

OWN_ONLY = Path(__file__).with_name("own_only.json")
"""Environment → classes and traits that only it serves; `bench.environments` writes it."""
OF_SKLEARN = tuple(name for name in ENVIRONMENTS if name.startswith("sklearn-"))
OF_XGBOOST = {"xgboost-3.0": ("1.5", "1.6", "1.7", "2.0", "2.1", "3.0"), "xgboost-3.1": ("3.1",)}
"""Environment → the releases of XGBoost whose files were compared there."""
_RELEASE = re.compile(r"(\d{1,4}\.\d{1,4})")


def choose(
    versions: Mapping[str, str],
    references: Iterable[tuple[str, str]],
    traits: frozenset[str] = frozenset(),
) -> str | None:
    """Return the name of the environment that a file is to run in; None: the platform's own libraries do.

    `versions`: library → version, `references`: `(module, name)`, and `traits`, as `modelport_formats.scan`
    finds them.
    """
    name, booster = own_of(versions), _of_booster(versions)
    if booster is not None and served_only_by(booster, (), traits):
        return booster
    return name if name is not None and served_only_by(name, references) else None


def served_only_by(
    name: str, references: Iterable[tuple[str, str]], traits: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Return the classes among the references, and the traits, that only this environment serves."""
    named = {each for module, each in references if module.partition(".")[0] == "sklearn"}
    return _own_only().get(name, frozenset()) & (traits | named)


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


def _of_booster(versions: Mapping[str, str]) -> str | None:
    match = _RELEASE.match(versions.get("xgboost", ""))
    return next((name for name, releases in OF_XGBOOST.items() if match and match[1] in releases), None)


@cache
def _own_only() -> dict[str, frozenset[str]]:
    read = json.loads(OWN_ONLY.read_text(encoding="utf-8"))
    return {name: frozenset(read.get(name, ())) for name in (*OF_SKLEARN, *OF_XGBOOST)}
