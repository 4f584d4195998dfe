"""Small JSON files that only their owner can read, replaced as a whole or not at all."""

import json
import os
from pathlib import Path

from modelport_standalone.errors import CannotStart


def read(path: Path) -> dict[str, str]:
    """Empty if there is none. Raises `CannotStart` for one that is damaged; it is left as it is."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise damaged(path) from error
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise damaged(path)
    return content


def write(path: Path, content: dict[str, str]) -> None:
    """One writer at a time: what a killed one left half-written is overwritten by the next."""
    partial = path.with_name(f".{path.name}.partial")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(partial, flags, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def damaged(path: Path) -> CannotStart:
    return CannotStart(f"{path} is damaged: restore it, or move it away to have a new one made.")
