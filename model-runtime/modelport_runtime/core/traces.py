"""Traces as a model's owner can use them: of its code and its libraries, without folders of this machine."""

import re
import traceback
from pathlib import Path

from modelport_runtime.core.types import without_paths

_OURS = f"{Path(__file__).parents[1]}/"
_BEFORE_A_MODULE = re.compile(r"(?:/[\w.+@~-]+)*/(?:site-packages|python3\.\d+)/")


def trace_of(error: BaseException) -> str:
    """Begin where the model's libraries or its own code were called: what calls them is nobody's concern."""
    told = traceback.TracebackException.from_exception(error)
    _leave_theirs(told)
    return without_paths(_BEFORE_A_MODULE.sub("", "".join(told.format())))


def _leave_theirs(told: traceback.TracebackException) -> None:
    frames = [frame for frame in told.stack if not frame.filename.startswith(_OURS)]
    told.stack = traceback.StackSummary.from_list(frames or told.stack)
    for before in (told.__cause__, told.__context__):
        if before is not None:
            _leave_theirs(before)
