"""The jobs beside the process: each says what it did, or what is wrong, in one line."""

from pathlib import Path

import pytest
from modelport_control_api.__main__ import main
from modelport_control_api.accounts.passwords import check
from modelport_control_api.accounts.tables import User
from modelport_control_api.db.session import Database
from modelport_control_api.outbox import OutboxRow
from modelport_control_api.process import commands
from modelport_control_api.registry.tables import ModelRow
from sqlalchemy import select

URL = "MODELPORT_CONTROL_API_DATABASE_URL"
PASSWORD = "MODELPORT_CONTROL_API_ADMIN_PASSWORD"
GOOD = "Correct-Horse-9"


@pytest.fixture(autouse=True)
def _with_a_database(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL, sqlite_url)
    monkeypatch.setattr(commands, "_ROUNDS", 4)


def admins(url: str) -> list[User]:
    database = Database(url)
    with database.transaction(read_only=True) as session:
        found = list(session.scalars(select(User).where(User.is_admin.is_(True))))
    database.close()
    return found


def test_the_first_administrator_is_made_once_and_never_changed(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PASSWORD, GOOD)
    assert main(["create-admin"]) == 0
    assert "admin@localhost made" in capsys.readouterr().out
    monkeypatch.setenv(PASSWORD, "Another-Horse-10")
    monkeypatch.setenv("MODELPORT_CONTROL_API_ADMIN_EMAIL", "second@example.com")
    assert main(["create-admin"]) == 0
    assert "already" in capsys.readouterr().out
    (made,) = admins(sqlite_url)
    assert made.email == "admin@localhost"
    assert check(GOOD, made.password_hash)


def test_a_password_may_come_from_a_mounted_file(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "password").write_text(f"{GOOD}\n")
    monkeypatch.setenv(f"{PASSWORD}_FILE", str(tmp_path / "password"))
    monkeypatch.setenv("MODELPORT_CONTROL_API_ADMIN_EMAIL", "Root@Example.com")
    assert main(["create-admin"]) == 0
    (made,) = admins(sqlite_url)
    assert made.email == "root@example.com"
    assert check(GOOD, made.password_hash)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "Neither MODELPORT_CONTROL_API_ADMIN_PASSWORD nor"),
        ({PASSWORD: "short"}, "at least 8 characters"),
        ({f"{PASSWORD}_FILE": "/nonexistent"}, "/nonexistent cannot be read"),
        ({PASSWORD: GOOD, "MODELPORT_CONTROL_API_ADMIN_EMAIL": "nobody"}, "is no e-mail address"),
    ],
)
def test_what_is_wrong_with_the_administrator_is_said(
    environment: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main(["create-admin"]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert GOOD not in error


def test_republishing_puts_every_model_into_the_outbox(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.transaction() as session:
        session.add(User(id="ann", email="ann@example.com", password_hash="-"))
        session.flush()
        session.add_all(ModelRow(id=f"m-{number}", owner_id="ann", name="m", traffic={}) for number in (1, 2))
    assert main(["republish"]) == 0
    with database.transaction(read_only=True) as session:
        assert sorted(session.scalars(select(OutboxRow.model_id))) == ["m-1", "m-2"]
    database.close()


def test_serve_says_which_settings_are_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve"]) == 1
    said = capsys.readouterr().err
    assert "MODELPORT_CONTROL_API_SIGNING_KEYS_DIR is not set" in said
    assert "MODELPORT_CONTROL_API_ARTIFACTS_URL is not set" in said
