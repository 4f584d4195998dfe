"""The pages of accounts: everybody's for administrators, one's own, and a password by a link."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import joblib
import pytest
from modelport_control_api.accounts.passwords import MAX_CHARACTERS
from modelport_control_api.accounts.tables import User
from modelport_control_api.registry.tables import ModelRow
from sqlalchemy import select

from tests.control_api.unit.models.platform import PASSWORD, Platform, running_platform, settings_at
from tests.control_api.unit.ui.test_outsiders import browser, token_of
from tests.support.models import iris_logistic

NEW_PASSWORD = "An0ther-Sensible-One"


@pytest.fixture
async def platform(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Platform]:
    async with running_platform(settings_at(tmp_path, sqlite_url), tmp_path) as running:
        for name in ("ann", "bob"):
            await running.account(name)
        await running.admin()
        yield running


@pytest.fixture
async def root(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(platform, "root") as client:
        yield client


@pytest.fixture
async def ann(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(platform, "ann") as client:
        yield client


@pytest.fixture
async def model_id(platform: Platform, tmp_path: Path) -> str:
    joblib.dump(iris_logistic().model, tmp_path / "iris.joblib")
    account = await platform.log_in("ann")
    uploaded = await account.upload((tmp_path / "iris.joblib").read_bytes())
    return str(uploaded.raise_for_status().json()["id"])


def user(platform: Platform, name: str) -> User:
    with platform.plane.context.database.transaction(read_only=True) as session:
        return session.scalars(select(User).where(User.email == f"{name}@example.com")).one()


async def post(client: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    return await client.post(path, data={"csrf_token": await token_of(client), **form})


async def test_an_administrator_appoints_disables_and_enables(
    platform: Platform, root: httpx.AsyncClient, ann: httpx.AsyncClient
) -> None:
    path = f"/ui/admin/users/{user(platform, 'ann').id}"
    assert path in (await root.get("/ui/admin/users")).text
    assert (await post(root, f"{path}/role", is_admin="true")).headers["Location"] == path
    assert "Take the role away" in (await root.get(path)).text
    assert (await ann.get("/ui/admin")).status_code == 200
    await post(root, f"{path}/role", is_admin="false")
    assert (await ann.get("/ui/admin")).status_code == 403
    await post(root, f"{path}/state", disabled="true")
    assert (await ann.get("/ui/")).status_code == 303
    page = (await root.get(path)).text
    assert "Enable the account" in page
    assert "no link works" in page
    assert ">disabled<" in (await root.get("/ui/admin/users")).text
    form = {"email": "ann@example.com", "password": PASSWORD}
    refused = await ann.post("/ui/login", data=form)
    assert (refused.status_code, "The account is disabled" in refused.text) == (403, True)
    await post(root, f"{path}/state", disabled="false")
    assert (await ann.post("/ui/login", data=form)).status_code == 303


async def test_the_own_page_offers_nothing_by_which_one_is_locked_out(
    platform: Platform, root: httpx.AsyncClient
) -> None:
    path = f"/ui/admin/users/{user(platform, 'root').id}"
    page = (await root.get(path)).text
    assert "This is your own account" in page
    assert "Disable the account" not in page
    assert "Delete the account" not in page
    for call, form in (("role", {"is_admin": "false"}), ("state", {"disabled": "true"})):
        refused = await post(root, f"{path}/{call}", **form)
        assert (refused.status_code, "another administrator" in refused.text) == (409, True)


async def test_a_link_is_shown_once_and_sets_a_password(
    platform: Platform, root: httpx.AsyncClient, ann: httpx.AsyncClient
) -> None:
    path = f"/ui/admin/users/{user(platform, 'ann').id}"
    made = await post(root, f"{path}/password-link")
    link = re.findall(r"http://localhost/ui/password#[A-Za-z0-9_-]+", made.text)[0]
    assert link not in (await root.get(path)).text
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(platform.plane.public),
        base_url="http://localhost",
        headers={"Origin": "http://localhost"},
    ) as visitor:
        assert 'name="token"' in (await visitor.get("/ui/password")).text
        weak = await visitor.post("/ui/password", data={"token": link, "password": "short"})
        assert (weak.status_code, "at least 8" in weak.text) == (422, True)
        assert link.partition("#")[2] in weak.text, "the next try needs it"
        done = await visitor.post("/ui/password", data={"token": link, "password": NEW_PASSWORD})
        assert done.headers["Location"] == "/ui/login"
        again = await visitor.post("/ui/password", data={"token": link, "password": NEW_PASSWORD})
        assert (again.status_code, "used or expired" in again.text) == (403, True)
        form = {"email": "ann@example.com", "password": NEW_PASSWORD}
        assert (await visitor.post("/ui/login", data=form)).status_code == 303
    assert (await ann.get("/ui/")).status_code == 303, "all sessions have ended"


async def test_a_password_is_set_only_where_nobody_on_the_way_reads_it(platform: Platform) -> None:
    address = "http://models.example.com"
    transport = httpx.ASGITransport(platform.plane.public)
    async with httpx.AsyncClient(
        transport=transport, base_url=address, headers={"Origin": address}
    ) as visitor:
        refused = await visitor.post("/ui/password", data={"token": "x", "password": NEW_PASSWORD})
        assert (refused.status_code, "plain http" in refused.text) == (403, True)


async def test_an_account_is_deleted_after_its_address_was_typed_and_its_models_were_named(
    platform: Platform, root: httpx.AsyncClient, model_id: str
) -> None:
    path = f"/ui/admin/users/{user(platform, 'ann').id}"
    page = (await root.get(path)).text
    assert "Its 1 model" in page
    typed = {"confirm_email": "ann@example.com"}
    tries: list[tuple[dict[str, str], int, str]] = [
        ({}, 422, "letter by letter"),
        (typed, 409, "holds 1 model"),
        (typed | {"models": "transfer"}, 422, "is required to transfer models"),
        (typed | {"models": "transfer", "receiver": "nobody@example.com"}, 404, "no account nobody@"),
    ]
    for form, status, said in tries:
        refused = await post(root, f"{path}/delete", **form)
        assert (refused.status_code, said in refused.text) == (status, True), form
    form = typed | {"models": "transfer", "receiver": "bob@example.com"}
    assert (await post(root, f"{path}/delete", **form)).headers["Location"] == "/ui/admin/users"
    with platform.plane.context.database.transaction(read_only=True) as session:
        assert session.get_one(ModelRow, model_id).owner_id == user(platform, "bob").id
    assert (await root.get(path)).status_code == 404


async def test_models_are_given_away_on_the_users_page(
    platform: Platform, root: httpx.AsyncClient, model_id: str
) -> None:
    path = f"/ui/admin/users/{user(platform, 'ann').id}"
    refused = await post(root, f"{path}/transfer", to="ann@example.com")
    assert (refused.status_code, "must be another account" in refused.text) == (422, True)
    assert (await post(root, f"{path}/transfer", to="bob@example.com")).headers["Location"] == path
    assert "Give the models" not in (await root.get(path)).text
    async with browser(platform, "bob") as bob:
        assert (await bob.get(f"/ui/models/{model_id}")).status_code == 200


async def test_ones_own_address_changes_with_the_password(platform: Platform, ann: httpx.AsyncClient) -> None:
    form = {"email": "countess@example.com", "address_password": "wrong"}
    refused = await post(ann, "/ui/settings/address", **form)
    assert refused.status_code == 422
    assert 'id="address_password-error"' in refused.text
    assert 'value="countess@example.com"' in refused.text
    taken = await post(ann, "/ui/settings/address", email="bob@example.com", address_password=PASSWORD)
    assert (taken.status_code, "registered already" in taken.text) == (409, True)
    form["address_password"] = PASSWORD
    assert (await post(ann, "/ui/settings/address", **form)).status_code == 303
    assert "countess@example.com" in (await ann.get("/ui/settings")).text
    assert user(platform, "countess").email == "countess@example.com"


async def test_ones_own_account_goes_with_what_the_page_says(
    platform: Platform, ann: httpx.AsyncClient, model_id: str
) -> None:
    assert "Delete my 1 model, too" in (await ann.get("/ui/settings")).text
    wrong = await post(ann, "/ui/settings/delete", end_password="wrong", delete_models="true")
    assert (wrong.status_code, 'id="end_password-error"' in wrong.text) == (422, True)
    unticked = await post(ann, "/ui/settings/delete", end_password=PASSWORD)
    assert (unticked.status_code, "holds 1 model" in unticked.text) == (409, True)
    done = await post(ann, "/ui/settings/delete", end_password=PASSWORD, delete_models="true")
    assert done.headers["Location"] == "/ui/login"
    assert (await ann.get("/ui/")).status_code == 303
    with platform.plane.context.database.transaction(read_only=True) as session:
        assert session.scalars(select(ModelRow)).all() == []


async def test_a_password_with_anything_behind_it_is_not_the_password(
    platform: Platform, ann: httpx.AsyncClient
) -> None:
    longest = ("Long-1 " * MAX_CHARACTERS)[:MAX_CHARACTERS]
    form = {"current_password": PASSWORD, "password": longest}
    assert (await post(ann, "/ui/settings/password", **form)).status_code == 303
    refused = await post(ann, "/ui/settings/delete", end_password=f"{longest}x")
    assert (refused.status_code, 'id="end_password-error"' in refused.text) == (422, True)
    assert user(platform, "ann").email == "ann@example.com"
    assert (await post(ann, "/ui/settings/delete", end_password=longest)).headers["Location"] == "/ui/login"


async def test_going_public_asks_once_and_shows(
    platform: Platform, ann: httpx.AsyncClient, root: httpx.AsyncClient, model_id: str
) -> None:
    path = f"/ui/models/{model_id}"
    form = {"name": "Iris", "access": "public", "timeout_seconds": "30", "acceleration": "auto"}
    asked = await post(ann, f"{path}/settings", **form)
    assert (asked.status_code, "Not saved yet" in asked.text) == (422, True)
    assert 'name="confirm_public"' in asked.text
    for page in (path, "/ui/models", "/ui/"):
        assert ">public<" not in (await ann.get(page)).text
    assert (await post(ann, f"{path}/settings", **form, confirm_public="true")).status_code == 303
    for page in (path, f"{path}/head", "/ui/models", "/ui/models/live", "/ui/"):
        assert ">public<" in (await ann.get(page)).text, page
    assert ">public<" in (await root.get("/ui/admin/models")).text
    again = await post(ann, f"{path}/settings", **{**form, "name": "Iris of all"})
    assert again.status_code == 303, "it is public already"
    assert "confirm_public" not in (await ann.get(f"{path}/settings")).text
