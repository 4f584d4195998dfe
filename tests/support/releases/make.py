"""`python -m tests.support.releases.make CHECKOUT`: record the build of CHECKOUT, whose `.venv` can run it.

Writes tests/fixtures/releases/<version>-<commit>/, which a commit then holds: see the README there.
"""

import json
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from contextlib import closing
from pathlib import Path

from tests.support.postgres_fixtures import PostgresServer
from tests.support.releases.stored import FOLDER

# What a stopped platform leaves that no other needs; the log names this machine's folders.
_NOT_DATA = ("lock", "logs", "cluster/run")


def main(checkout: Path) -> None:
    commit = _output("git", "-C", str(checkout), "rev-parse", "--short", "HEAD")
    # The first builds had one distribution, at the root.
    projects = (checkout / "control-api" / "pyproject.toml", checkout / "pyproject.toml")
    project = next(each for each in projects if each.exists())
    version = tomllib.loads(project.read_text())["project"]["version"]
    target = FOLDER / f"{version}-{commit}"
    target.mkdir(parents=True, exist_ok=True)
    python = checkout / ".venv" / "bin" / "python"
    with tempfile.TemporaryDirectory() as made:
        sqlite, postgres = Path(made, "sqlite"), Path(made, "postgres")
        _record(python, sqlite)
        _record_postgres(python, postgres, Path(made, "server"))
        for folder in (sqlite, postgres):
            _pack(folder, target / f"{folder.name}.tar.xz", str(checkout))
        at = json.loads((postgres / "recorded.json").read_text())["at"]
        schema = _schema_of(sqlite / "data" / "modelport.db")
    about = {"version": version, "commit": commit, "recorded_at": at, "schema": schema}
    (target / "about.json").write_text(json.dumps(about, indent=2) + "\n")


def _record(python: Path, folder: Path, database_url: str = "") -> None:
    folder.mkdir()
    script = Path(__file__).with_name("record.py")
    subprocess.run([python, script, folder, database_url], check=True)


def _record_postgres(python: Path, folder: Path, server_folder: Path) -> None:
    server_folder.parent.chmod(0o755)
    server_folder.mkdir()
    server = PostgresServer(server_folder)
    server.start()
    try:
        server.execute("CREATE DATABASE recorded")
        _record(python, folder, server.url("recorded"))
        options = ("--inserts", "--no-owner", "--no-privileges", "--dbname", server.url("recorded"))
        dump = _output(str(server.binaries / "pg_dump"), *options)
        # Lines with a backslash are psql's own.
        lines = [line for line in dump.splitlines() if not line.startswith("\\")]
        (folder / "database.sql").write_text("\n".join(lines))
    finally:
        server.stop()


def _schema_of(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def _pack(folder: Path, archive: Path, checkout: str) -> None:
    for name in _NOT_DATA:
        path = folder / "data" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    _hide(checkout, folder)
    for database in folder.rglob("*.db"):
        with closing(sqlite3.connect(database)) as connection:
            connection.executescript("PRAGMA journal_mode = DELETE; VACUUM")
    with tarfile.open(archive, "w:xz", preset=9) as tar:
        for name in ("data", "recorded.json", "database.sql"):
            if (folder / name).exists():
                tar.add(folder / name, name, filter=_of_nobody)


def _hide(checkout: str, folder: Path) -> None:
    """Tracebacks of models name the folder that the build ran in."""
    for file in (folder / "recorded.json", *folder.rglob("*.log")):
        file.write_text(file.read_text().replace(checkout, "/modelport"))
    with closing(sqlite3.connect(folder / "data" / "cluster" / "cluster.db")) as connection, connection:
        connection.execute("UPDATE models SET object = replace(object, ?, '/modelport')", (checkout,))


def _of_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
