"""The first administrator of an installation, whose password comes from a Secret."""

import os
from pathlib import Path

from modelport_process.start import CannotStart

from modelport_control_api.accounts.auth import emails
from modelport_control_api.accounts.auth.admin import ensure_admin
from modelport_control_api.accounts.passwords.hashing import Passwords
from modelport_control_api.accounts.passwords.rules import broken_rules
from modelport_control_api.process.commands.database import opened_database

_EMAIL = "MODELPORT_CONTROL_API_ADMIN_EMAIL"
_PASSWORD = "MODELPORT_CONTROL_API_ADMIN_PASSWORD"  # noqa: S105 - the variable's name
_DEFAULT_EMAIL = "admin@localhost"
_ROUNDS = 12


def create_admin() -> str:
    email, password = _email(), _password()
    if rules := broken_rules(password, email):
        raise CannotStart(f"{_PASSWORD} {'; '.join(rules)}.")
    passwords = Passwords(rounds=_ROUNDS, threads=1)
    try:
        with opened_database() as database:
            is_new = ensure_admin(database, passwords, email, password)
    finally:
        passwords.close()
    return f"Administrator {email} made." if is_new else "There is an administrator already: nothing to do."


def _email() -> str:
    try:
        return emails.normalise(os.environ.get(_EMAIL) or _DEFAULT_EMAIL)
    except emails.EmailInvalid as error:
        raise CannotStart(f"{_EMAIL} is no e-mail address: {error}") from error


def _password() -> str:
    """From the variable, or from the file that `…_FILE` names (a mounted Secret)."""
    file = os.environ.get(f"{_PASSWORD}_FILE")
    try:
        password = Path(file).read_text(encoding="utf-8").rstrip("\n") if file else os.environ.get(_PASSWORD)
    except (OSError, ValueError) as error:
        raise CannotStart(f"{_PASSWORD}_FILE={file} cannot be read: {error}.") from error
    if not password:
        raise CannotStart(f"Neither {_PASSWORD} nor {_PASSWORD}_FILE gives a password: set one of them.")
    return password
