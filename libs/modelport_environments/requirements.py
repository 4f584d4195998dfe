"""What a user may ask for in a model's own requirements: names, versions, extras and markers, and no more.

Whatever else a requirements.txt may hold (paths, addresses, options) would make pip and uv read files of the
platform's, call other servers than its index, or run code of a package.
"""

import re
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from modelport_environments.errors import InvalidRequirements

MAX_BYTES = 32 << 10
MAX_REQUIREMENTS = 200
_COMMENT = re.compile(r"(^|\s)#.*$")
_CONTINUED = re.compile(r"\\\r?\n")
_SHOWN = 80


def parse(text: str) -> tuple[str, ...]:
    """Return the requirements of a requirements.txt, one each. Raises InvalidRequirements, with the line."""
    if len(text.encode()) > MAX_BYTES:
        raise InvalidRequirements(f"have more than {MAX_BYTES >> 10} KiB, the most that is read")
    found = tuple(_parsed(number, line) for number, line in _lines(text))
    if not found:
        raise InvalidRequirements("name no package: write one on each line, such as scikit-learn==1.2.2")
    if len(found) > MAX_REQUIREMENTS:
        raise InvalidRequirements(f"have more than {MAX_REQUIREMENTS} lines, the most that are read")
    return tuple(map(str, found))


def names(requirements: tuple[str, ...]) -> frozenset[str]:
    """Return the names of the distributions that are asked for, as an index has them."""
    return frozenset(str(canonicalize_name(Requirement(each).name)) for each in requirements)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """A number and what stands there, without comments and blank lines."""
    joined = _CONTINUED.sub(" ", text.removeprefix("\ufeff"))
    for number, line in enumerate(joined.splitlines(), 1):
        if content := _COMMENT.sub("", line).strip():
            yield number, content


def _parsed(number: int, line: str) -> Requirement:
    if line.startswith("-") or " --" in line:
        raise _refused(number, line, "options are not taken, of pip or of an index")
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        raise _refused(number, line, "is no name with versions") from None
    if requirement.url is not None:
        raise _refused(number, line, "addresses and paths are not taken")
    return requirement


def _refused(number: int, line: str, why: str) -> InvalidRequirements:
    shown = "".join(each for each in line[:_SHOWN] if each.isprintable())
    return InvalidRequirements(
        f"have in line {number} {shown!r}: {why}. Write names, versions, extras and markers alone, such as "
        "scikit-learn==1.2.2"
    )
