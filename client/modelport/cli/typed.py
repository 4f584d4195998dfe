"""Commands as this user can type them."""

import os
import shlex
import shutil
import sys
from pathlib import Path

from modelport.client import DEFAULT_URL

_NAME = "modelport"


def command() -> str:
    """As it can be typed in the current folder: the name where a shell finds it, else its path."""
    own = Path(sys.argv[0]).absolute()
    if shutil.which(_NAME):
        return _NAME
    if own.parts[-2:] == (_NAME, "__main__.py"):
        return f"{_python()} -m {_NAME}"
    return shlex.quote(_short(own)) if own.name == _NAME else _NAME


def typed(words: str, platform: str = "") -> str:
    """A command in backquotes; with `--url` where the user must name the platform."""
    usual = os.environ.get("MODELPORT_URL") or DEFAULT_URL
    elsewhere = f" --url {platform}" if platform and platform != usual.rstrip("/") else ""
    return f"`{command()} {words}{elsewhere}`"


def _python() -> str:
    name = Path(sys.executable).name
    return name if shutil.which(name) == sys.executable else shlex.quote(_short(Path(sys.executable)))


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
