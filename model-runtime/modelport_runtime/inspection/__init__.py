"""What is known of a model file without loading it. Reading is bounded: the file is hostile."""

from dataclasses import dataclass
from pathlib import Path

from modelport_formats.scan import Scan, scan

from modelport_runtime.inspection.libraries import Inspected, compare


@dataclass(frozen=True)
class Inspection:
    """`references` are the classes and functions that a pickle names, `module` → one name of it."""

    libraries: Inspected
    references: dict[str, str]


def inspect(path: Path) -> Inspection:
    """Look into the file. A file that cannot be understood yields nothing: loading it will report why."""
    found: Scan = scan(path)
    return Inspection(compare(found.versions), dict(iter(found.references)))
