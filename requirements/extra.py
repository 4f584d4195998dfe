"""Print the requirements of one extra of pyproject.toml, one a line. Usage: extra.py NAME"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

_OWN_EXTRAS = re.compile(r"^modelport\[(.+)\]$")


def requirements(extras: dict[str, list[str]], name: str) -> Iterator[str]:
    """An extra may name others of ours: `modelport[a,b]`."""
    for requirement in extras[name]:
        if own := _OWN_EXTRAS.match(requirement):
            for other in own[1].split(","):
                yield from requirements(extras, other)
        else:
            yield requirement


if __name__ == "__main__":
    project = tomllib.loads(Path(__file__).parent.parent.joinpath("pyproject.toml").read_text())["project"]
    print("\n".join(requirements(project["optional-dependencies"], sys.argv[1])))
