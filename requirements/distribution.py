"""Print what our distributions need of others', one a line. Usage: distribution.py NAME[EXTRA]…"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parent.parent
_OWN = re.compile(r"^(modelport(?:-[a-z-]+)?)(?:\[(.+)\])?(?:==.+)?$")


def projects() -> dict[str, dict[str, Any]]:
    """The `[project]` table of each distribution by its name."""
    tables = [tomllib.loads(path.read_text())["project"] for path in sorted(_ROOT.glob("*/pyproject.toml"))]
    return {table["name"]: table for table in tables}


def requirements(requirement: str) -> Iterator[str]:
    """Resolve one of ours, such as `modelport-libs[kube]==1.2.3`, to those of others that it stands for."""
    own = _OWN.match(requirement)
    if own is None:
        yield requirement
        return
    project = projects()[own[1]]
    extras = own[2].split(",") if own[2] else []
    for needed in (project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)):
        for each in needed:
            yield from requirements(each)


if __name__ == "__main__":
    print("\n".join(sorted({found for name in sys.argv[1:] for found in requirements(name)})))
