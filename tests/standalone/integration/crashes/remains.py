"""What a crash may not leave on the disk: anything that belongs to nothing."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from tests.standalone.integration.crashes.killable import KillablePlatform, poll

# SQLite's own helpers lie beside its database.
_IN_DATA = {
    *("admin.json", "keys.json", "artifacts", "cluster", "lock", "logs", "signing-keys"),
    *("modelport.db", "modelport.db-wal", "modelport.db-shm"),
}


def check_whole(platform: KillablePlatform) -> None:
    """Wait until rows, files, MLModels and processes tell the same, and nothing else lies about."""
    for differences in (_of_files, _of_mlmodels, _of_folders):
        poll(partial(_find_faults, differences, platform), "the disk holds what is known, and no more")


def _find_faults(
    differences: Callable[[KillablePlatform], dict[str, set[str]]], platform: KillablePlatform
) -> str:
    return ", ".join(f"{what}: {found}" for what, found in differences(platform).items() if found)


def _of_files(platform: KillablePlatform) -> dict[str, set[str]]:
    """No row without its file, no file without a row, no upload that nobody sends any more."""
    rows = _column(platform.data / "modelport.db", "SELECT sha256 FROM model_versions")
    files = {path.name for path in (platform.data / "artifacts").rglob("*") if path.is_file()}
    return {"files without a row": files - rows, "rows without a file": rows - files}


def _of_mlmodels(platform: KillablePlatform) -> dict[str, set[str]]:
    rows = _column(platform.data / "modelport.db", "SELECT id FROM models")
    objects = _column(platform.data / "cluster" / "cluster.db", "SELECT name FROM models")
    return {
        "not published": _column(platform.data / "modelport.db", "SELECT model_id FROM outbox"),
        "MLModels without a row": objects - rows,
        "rows without an MLModel": rows - objects,
    }


def _of_folders(platform: KillablePlatform) -> dict[str, set[str]]:
    """One folder of sockets and one of volumes a runtime, nothing half-written beside the files."""
    children = platform.children()
    runtimes = {str(child.pid) for child in children if child.is_runtime}
    workers = {str(child.pid) for child in children if child.is_batch_worker}
    run = platform.data / "cluster" / "run"
    bases = list(platform.sockets.iterdir())
    sockets = {name for base in bases for name in names_in(base)}
    return {
        "registered and not running, or not registered": names_in(run / "children") ^ (runtimes | workers),
        "folders of sockets": {str(base) for base in bases[1:]},
        f"sockets for {len(runtimes)} runtimes": _unless_as_many(sockets - {"internal.sock"}, runtimes),
        f"volumes for {len(runtimes)} runtimes": _unless_as_many(names_in(run / "pods"), runtimes),
        "temporary files": names_in(platform.scratch),
        "unknown files": names_in(platform.data) - _IN_DATA,
    }


def _unless_as_many(names: set[str], others: set[str]) -> set[str]:
    return set() if len(names) == len(others) else names


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _column(database: Path, query: str) -> set[str]:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return {str(row[0]) for row in connection.execute(query)}
