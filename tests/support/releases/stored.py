"""Data that former builds wrote, stored in tests/fixtures/releases."""

import json
import tarfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "fixtures" / "releases"


def newest() -> Path:
    """The recorded build that this one is upgraded from."""
    return max(
        (path.parent for path in FOLDER.glob("*/about.json")), key=lambda folder: about(folder)["recorded_at"]
    )


def about(release: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((release / "about.json").read_text())
    return found


@dataclass(frozen=True)
class Recorded:
    """`data` is that build's data folder; `dump` is its PostgreSQL database, if it had one."""

    data: Path
    dump: str
    at: datetime
    people: dict[str, dict[str, str]]
    predicted: dict[str, dict[str, Any]]
    jobs: list[str]
    responses: dict[str, dict[str, dict[str, Any]]]


def unpack(database: str, folder: Path) -> Recorded:
    """Of `database`, "sqlite" or "postgres", into `folder`."""
    with tarfile.open(newest() / f"{database}.tar.xz") as tar:
        tar.extractall(folder, filter="data")
    recorded = json.loads((folder / "recorded.json").read_text())
    recorded["at"] = datetime.fromisoformat(recorded["at"])
    dump = folder / "database.sql"
    return Recorded(folder / "data", dump.read_text() if dump.exists() else "", **recorded)
