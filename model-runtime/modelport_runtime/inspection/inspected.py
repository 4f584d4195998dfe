"""What was learnt of a file without loading it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Inspected:
    """Library versions in the file, those of the same libraries here, and how they differ, in words."""

    found: dict[str, str] = field(default_factory=dict)
    here: dict[str, str] = field(default_factory=dict)
    differences: tuple[str, ...] = ()
