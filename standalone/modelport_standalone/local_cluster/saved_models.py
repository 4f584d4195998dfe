"""The objects that must outlive the process: MLModels. Everything else follows from them."""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from modelport_kube.kube import Object


class DamagedState(Exception):
    """The file cannot be read; the message names it and what to do. It is left as it is."""


class SavedModels:
    """One SQLite file. Blocking; one caller at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            # The caller runs us in threads, never in two at once.
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            # NORMAL: no write is lost with the process. One lost with the power is published again by the
            # control API, whose database is the truth.
            self._connection.executescript(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                "CREATE TABLE IF NOT EXISTS models (namespace TEXT, name TEXT, object TEXT NOT NULL,"
                " PRIMARY KEY (namespace, name))"
            )
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def load(self) -> Iterable[Object]:
        """Raises `DamagedState`."""
        try:
            rows = self._connection.execute("SELECT object FROM models").fetchall()
            return [_read(row[0]) for row in rows]
        except (sqlite3.DatabaseError, ValueError, LookupError, TypeError) as error:
            raise self._damaged(error) from error

    def put(self, obj: Object) -> None:
        """Write the model over the one of its name; it is committed on return. Raises `sqlite3.Error`."""
        meta = obj["metadata"]
        self._connection.execute(
            "INSERT OR REPLACE INTO models VALUES (?, ?, ?)",
            (meta["namespace"], meta["name"], json.dumps(obj)),
        )

    def remove(self, namespace: str, name: str) -> None:
        self._connection.execute("DELETE FROM models WHERE namespace = ? AND name = ?", (namespace, name))

    def close(self) -> None:
        self._connection.close()

    def _damaged(self, error: Exception) -> DamagedState:
        return DamagedState(
            f"{self._path} cannot be read ({error}). Restore it from a backup, or move it away: "
            "models are then published again from the platform's database."
        )


def _read(text: str) -> Object:
    """Raises ValueError, LookupError or TypeError for what nobody here has written."""
    obj: Object = json.loads(text)
    meta = obj["metadata"]
    if not all(isinstance(each, str) for each in (obj["kind"], meta["namespace"], meta["name"], meta["uid"])):
        raise ValueError("an object without kind, namespace, name or uid")
    int(meta["resourceVersion"])
    return obj
