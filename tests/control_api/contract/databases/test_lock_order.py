"""What wants the same rows locks them in one order: of two that wait for each other PostgreSQL ends one."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import httpx
import pytest
from modelport_control_api.accounts.auth import password_links, standing
from modelport_control_api.accounts.tables import User
from modelport_control_api.batch import repository
from modelport_control_api.db.session import Database
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.registry import quotas
from modelport_control_api.registry.quotas import Limits
from modelport_control_api.registry.tables import BatchJob
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from tests.support.control_api import PASSWORD, Person
from tests.support.waiting import until

USERS = "/api/v1/admin/users"
Call = Callable[[Person, Person], Awaitable[httpx.Response]]

# SQLite has one writer at a time, who waits for nobody.
pytestmark = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


@pytest.fixture
async def admin(ada: Person, control_plane: ControlPlane) -> Person:
    with control_plane.context.database.transaction() as session:
        session.execute(update(User).where(User.id == ada.id).values(is_admin=True))
    return ada


def disable(admin: Person, user: Person) -> Awaitable[httpx.Response]:
    return admin.api.patch(f"{USERS}/{user.id}", headers=admin.bearer, json={"disabled": True})


def delete(admin: Person, user: Person) -> Awaitable[httpx.Response]:
    return admin.api.delete(f"{USERS}/{user.id}", headers=admin.bearer)


def delete_own(_admin: Person, user: Person) -> Awaitable[httpx.Response]:
    body = {"current_password": PASSWORD}
    return user.api.post("/api/v1/auth/me/delete", headers=user.bearer, json=body)


def is_anybody_waiting(database: Database) -> bool:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with database.transaction(read_only=True) as session:
        return bool(session.scalar(waiting))


async def meet(
    database: Database,
    call: Awaitable[httpx.Response],
    first: Callable[[Session], object],
    second: Callable[[Session], object],
) -> httpx.Response:
    """Make the call between two steps of a transaction, and have it wait for what the first has locked."""
    with database.transaction() as session:
        first(session)
        response = asyncio.ensure_future(call)
        await until(partial(is_anybody_waiting, database))
        second(session)
    return await response


@pytest.mark.parametrize("end", [disable, delete, delete_own])
async def test_an_account_ends_while_a_worker_counts_what_a_job_of_it_has_made(
    admin: Person, bob: Person, control_plane: ControlPlane, end: Call
) -> None:
    database, limits = control_plane.context.database, Limits(max_models=1, max_bytes=1000)
    with database.transaction() as session:
        job = BatchJob(owner_id=bob.id, model_id="m", version="v1", input_format="csv", output_format="csv")
        session.add(job)
    response = await meet(
        database,
        end(admin, bob),
        lambda session: repository.lock(session, job.id),
        lambda session: quotas.require_room(session, bob.id, limits, models=0, size=0),
    )
    assert response.is_success, response.text


async def test_a_link_is_used_while_an_administrator_withdraws_it(
    api: httpx.AsyncClient, admin: Person, bob: Person, control_plane: ControlPlane
) -> None:
    made = (await api.post(f"{USERS}/{bob.id}/password-link", headers=admin.bearer)).json()
    response = await meet(
        control_plane.context.database,
        api.post("/api/v1/auth/password", json={"token": made["token"], "password": "An0ther-Secret"}),
        lambda session: standing.hold(session, bob.id),
        lambda session: password_links.withdraw_of(session, bob.id),
    )
    assert response.status_code == 403, response.text
