"""Versions and modules that a file names."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Scan:
    versions: dict[str, str] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)


def scan(path: Path) -> Scan:
    return Scan()
