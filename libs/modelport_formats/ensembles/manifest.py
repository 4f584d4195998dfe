"""What an ensemble's archive says of itself: which files are its members, and how they are joined."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

from modelport_formats.errors import DamagedFile

Join = Literal["vote", "average", "chain", "stack"]
JOINS: tuple[str, ...] = get_args(Join)
MAX_MEMBERS = 16
"""Beside the final of a stack."""
_FILE = re.compile(r"[0-9a-f]{64}")
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class EnsembleMember:
    """A version as it was when the ensemble was made. `file`: the sha256 of its model file, by which name the
    archive has it.

    `name`: of the column that its prediction is to those behind it, and what columns of its probabilities
    begin with; None: it has none. `sample`: a predict body with the row that it predicts.
    """

    model: str
    version: str
    framework: str
    file: str
    name: str | None = None
    weight: float = 1.0
    sample: dict[str, Any] | None = None

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"{self.model} {self.version}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """`final`: of a stack the model over the members' outputs. `passthrough`: it gets the rows too."""

    join: Join
    members: tuple[EnsembleMember, ...]
    final: EnsembleMember | None = None
    passthrough: bool = False

    @property
    def everyone(self) -> tuple[EnsembleMember, ...]:
        """The members, and the final if there is one."""
        return self.members if self.final is None else (*self.members, self.final)

    @property
    def frameworks(self) -> tuple[str, ...]:
        """Each once, in the order of the alphabet."""
        return tuple(sorted({each.framework for each in self.everyone}))

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), sort_keys=True).encode()


def from_json(text: bytes) -> Manifest:
    """Read what `to_json` wrote. Raises DamagedFile for anything else."""
    try:
        return _manifest(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DamagedFile("The archive says of no ensemble which members it has.") from None


def _manifest(told: Mapping[str, Any]) -> Manifest:
    members = tuple(_member(each) for each in told["members"])
    final = None if told["final"] is None else _member(told["final"])
    right = told["join"] in JOINS and 1 <= len(members) <= MAX_MEMBERS
    if not right or (final is not None) != (told["join"] == "stack"):
        raise ValueError
    return Manifest(cast("Join", told["join"]), members, final, passthrough=told["passthrough"] is True)


def _member(told: Mapping[str, Any]) -> EnsembleMember:
    found = EnsembleMember(
        model=_text(told["model"]),
        version=_text(told["version"]),
        framework=_text(told["framework"]),
        file=_text(told["file"]),
        name=None if told["name"] is None else _text(told["name"]),
        weight=float(told["weight"]),
        sample=told["sample"],
    )
    if not _FILE.fullmatch(found.file) or not (math.isfinite(found.weight) and found.weight > 0):
        raise ValueError
    if found.sample is not None and not isinstance(found.sample, dict):
        raise TypeError
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT:
        raise TypeError
    return value
