"""Whose models a model process will read."""

from typing import get_args

from modelport_formats.ensembles.archive import read_unpacked
from modelport_formats.errors import FormatError
from modelport_formats.packed import unpacked

from modelport_runtime.settings import Framework, Settings

_OF_SEVERAL = "ensemble"


def frameworks_of(settings: Settings) -> tuple[str, ...]:
    """Return the frameworks of the artifact's models: of an ensemble those of its members.

    Called before the process gives up its rights: JSON of a bounded size is all that is read.
    """
    if settings.framework != _OF_SEVERAL:
        return (settings.framework,)
    try:
        named = read_unpacked(unpacked(settings.artifact)).frameworks
    except (FormatError, OSError):
        # The load says what is wrong with it.
        return ()
    return tuple(each for each in named if each in get_args(Framework))
