"""Set the version of the project wherever it stands. Usage: version.py 1.2.3

Each distribution has its own, and asks for just that version of the others.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_OWN_LINE = re.compile(r"^((?:version|VERSION) = \"|(?:version|appVersion): )\d[\w.]*", re.MULTILINE)
_OF_ANOTHER = re.compile(r"(\"modelport[a-z-]*(?:\[[a-z,]+\])?==)\d[\w.]*")


def places(root: Path) -> Iterator[Path]:
    yield from sorted(root.glob("*/pyproject.toml"))
    yield root / "libs/modelport_process/__init__.py"
    yield root / "helm/modelport/Chart.yaml"


def with_version(text: str, version: str) -> str:
    return _OF_ANOTHER.sub(rf"\g<1>{version}", _OWN_LINE.sub(rf"\g<1>{version}", text))


if __name__ == "__main__":
    if len(sys.argv) != 2 or not re.fullmatch(r"\d+\.\d+\.\d+[\w.]*", sys.argv[1]):
        sys.exit("Give the version, for example 1.2.3")
    for place in places(_ROOT):
        place.write_text(with_version(place.read_text(), sys.argv[1]))
