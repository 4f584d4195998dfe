"""Where in a user's own code something was raised."""

import traceback
from pathlib import PurePath


def place_in_code(error: BaseException) -> str | None:
    """Return file and line of the last of its frames that is in the code, `prep.py, line 12`; None: none is.

    Its modules alone are compiled under relative names.
    """
    if isinstance(error, SyntaxError) and error.filename and _is_own(error.filename):
        return f"{error.filename}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_own(frame.filename)]
    return f"{own[-1].filename}, line {own[-1].lineno}" if own else None


def is_refusal(error: BaseException) -> bool:
    """Return whether the code itself raised ValueError, which is how it refuses a row."""
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, ValueError) and bool(frames) and _is_own(frames[-1].filename)


def _is_own(filename: str) -> bool:
    return filename.endswith(".py") and not PurePath(filename).is_absolute()
