"""What `python -m modelport_control_api` can do. Each command returns the line that reports what it did."""

import asyncio
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import uvloop
from modelport_http.settings import Settings as EdgeSettings
from modelport_http.wording import counted
from modelport_kube.connect import NoClusterAccess
from modelport_process import logging
from modelport_process.settings import read_settings
from modelport_process.start import CannotStart, raise_limit
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from modelport_control_api import outbox
from modelport_control_api.accounts.auth import password_links, schemas
from modelport_control_api.accounts.auth.accounts import ensure_admin
from modelport_control_api.accounts.auth.errors import NotWhileDisabled
from modelport_control_api.accounts.passwords import Passwords, broken_rules
from modelport_control_api.accounts.tables import User, is_working_admin
from modelport_control_api.db.session import Database
from modelport_control_api.migrations import upgrade as migrations
from modelport_control_api.process import serve as serving
from modelport_control_api.registry import repository

DATABASE_URL = "MODELPORT_CONTROL_API_DATABASE_URL"
# An installation starts the database and its jobs together.
_WAIT_SECONDS = 60.0
_RETRY_SECONDS = 1.0


def migrate() -> str:
    """Bring the database to this release's schema. Raises `CannotStart`."""
    with opened_database() as database:
        migrations.upgrade(database.engine.url.render_as_string(hide_password=False))
    return "The database has this release's schema."


@contextmanager
def opened_database() -> Iterator[Database]:
    """A database that responds. Raises `CannotStart` or what the last try raised."""
    url = os.environ.get(DATABASE_URL)
    if not url:
        raise CannotStart(f"{DATABASE_URL} is not set: give the database's address in it.")
    database = Database(url)
    try:
        _wait_for(database)
        yield database
    finally:
        database.close()


def _wait_for(database: Database) -> None:
    is_remote = database.engine.dialect.name != "sqlite"
    deadline = time.monotonic() + (_WAIT_SECONDS if is_remote else 0)
    while True:
        try:
            return database.ping()
        except OperationalError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)


_EMAIL = "MODELPORT_CONTROL_API_ADMIN_EMAIL"
_PASSWORD = "MODELPORT_CONTROL_API_ADMIN_PASSWORD"  # noqa: S105 - the variable's name
_DEFAULT_EMAIL = "admin@localhost"
_PUBLIC_URL = "MODELPORT_CONTROL_API_PUBLIC_URL"
_ROUNDS = 12


def create_admin() -> str:
    """Create the administrator whom the environment names, unless there is one. Raises `CannotStart`."""
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
        return schemas.normalize(os.environ.get(_EMAIL) or _DEFAULT_EMAIL)
    except schemas.EmailInvalid as error:
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


_LINK_LIFE = timedelta(hours=24)


def password_link(email: str) -> str:
    """Make a link that sets the account's password: where the only administrator has forgotten it.

    Raises `CannotStart`.
    """
    with opened_database() as database, database.transaction() as session:
        named = select(User).where(User.email == schemas.normalize_or_keep(email))
        user = session.scalars(named.with_for_update(key_share=True)).one_or_none()
        admins = select(User.id).where(is_working_admin()).order_by(User.created_at).limit(1)
        maker = session.scalars(admins).one_or_none()
        if user is None:
            raise CannotStart(f"There is no account {email}: name one by the address that it logs in with.")
        if maker is None:
            raise CannotStart("There is no administrator yet: create-admin makes the first one.")
        try:
            _, token = password_links.create(session, None, maker, user, _LINK_LIFE)
        except NotWhileDisabled as error:
            raise CannotStart(error.detail) from error
    base = os.environ.get(_PUBLIC_URL, "").rstrip("/") or "the platform's address, then "
    return f"It works once, within a day: {base}/ui/password#{token}"


def republish() -> str:
    """Have every model published again. Raises `CannotStart`."""
    with opened_database() as database, database.transaction() as session:
        models = repository.all_ids(session)
        for model_id in sorted(models):
            outbox.record_change(session, model_id)
    return f"{counted(len(models), 'model')} will be published within seconds, as the database has them."


def serve() -> str:
    """Serve requests until SIGTERM. Raises `CannotStart`."""
    settings = serving.read()
    logging.configure("control-api", settings.edge.log_level)
    raise_limit()
    listeners = serving.listen(settings.process)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serving.run(settings, listeners))
    except NoClusterAccess as error:
        raise CannotStart(str(error)) from error
    return "Stopped."


def work() -> str:
    """Do batch jobs until SIGTERM. Raises `CannotStart`."""
    # Here and not above: the other commands need none of it.
    from modelport_control_api.batch_worker import process
    from modelport_control_api.batch_worker.settings import Settings

    settings, edge = read_settings(Settings), read_settings(EdgeSettings)
    logging.configure("worker", edge.log_level)
    if settings.worker_memory_bytes:
        _limit_memory(settings.worker_memory_bytes)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(process.run(settings))
    return "Stopped."


def _limit_memory(count: int) -> None:
    """Of what it writes to, not of the address space: libraries map far more of that than they use."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = count if hard == resource.RLIM_INFINITY else min(count, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
