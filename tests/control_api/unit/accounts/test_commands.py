"""The jobs beside the process: each says what it did, or what is wrong, in one line."""

from pathlib import Path

import pytest
from modelport_control_api.__main__ import main
from modelport_control_api.accounts.auth import password_links
from modelport_control_api.accounts.auth.errors import PasswordLinkInvalid
from modelport_control_api.accounts.passwords import check
from modelport_control_api.accounts.tables import AuditEntry, User
from modelport_control_api.db.base import utc_now
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


def test_a_link_for_an_administrator_who_forgot_the_password(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(PASSWORD, GOOD)
    assert main(["create-admin"]) == 0
    monkeypatch.setenv("MODELPORT_CONTROL_API_PUBLIC_URL", "https://models.example.com/")
    assert main(["password-link", "Admin@Localhost"]) == 0
    printed = capsys.readouterr().out
    token = printed.split("https://models.example.com/ui/password#")[1].strip()
    database = Database(sqlite_url)
    with database.transaction() as session:
        assert password_links.email_of(session, token) == "admin@localhost"
        assert password_links.use(session, token) == session.scalars(select(User.id)).one()
        with pytest.raises(PasswordLinkInvalid):
            password_links.use(session, token)
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "password_link.create")).one()
        assert (entry.actor_id, token in str(vars(entry))) == (None, False)
    database.close()


@pytest.mark.parametrize(
    ("has_admin", "email", "said"),
    [
        (True, "nobody@localhost", "There is no account nobody@localhost"),
        (True, "ann@localhost", "is disabled"),
        (False, "ann@localhost", "There is no administrator yet"),
    ],
)
def test_why_there_is_no_link_is_said(
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    has_admin: bool,
    email: str,
    said: str,
) -> None:
    database = Database(sqlite_url)
    with database.transaction() as session:
        session.add(User(email="ann@localhost", password_hash="-", disabled_at=utc_now()))
    database.close()
    if has_admin:
        monkeypatch.setenv(PASSWORD, GOOD)
        assert main(["create-admin"]) == 0
    assert main(["password-link", email]) == 1
    assert said in capsys.readouterr().err


def test_serve_says_which_settings_are_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve"]) == 1
    said = capsys.readouterr().err
    assert "MODELPORT_CONTROL_API_SIGNING_KEYS_DIR is not set" in said
    assert "MODELPORT_CONTROL_API_ARTIFACTS_URL is not set" in said
