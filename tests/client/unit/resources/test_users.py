"""Accounts by SDK and command: everybody's for administrators, and one's own."""

import json
from typing import Any

import pytest
from modelport import Conflict, Forbidden, Modelport, NotFound, credentials
from modelport.credentials import Credentials

from tests.client.unit.answers import USER
from tests.client.unit.conftest import Cli
from tests.client.unit.platform import Answer, Platform, problem

USERS = "/api/v1/admin/users"
GET, PATCH, DELETE = f"GET {USERS}/u1", f"PATCH {USERS}/u1", f"DELETE {USERS}/u1"
LINK = {
    "token": "secret",
    "url": "/ui/password#secret",
    "expires_at": "2026-11-30T02:30:00Z",
}


def user(**more: Any) -> dict[str, Any]:
    return {
        **USER,
        "is_admin": False,
        "disabled_at": None,
        "models": 3,
        "bytes": 1_500_000,
        "max_models": 200,
        "max_bytes": 20_000_000_000,
        "last_seen_at": None,
        "a_field_of_a_newer_platform": True,
        **more,
    }


@pytest.fixture
def logged_in(platform: Platform) -> None:
    credentials.save(platform.url, Credentials(access_token="a", refresh_token="r", expires_at=4_000_000_000))


def test_users_are_listed_to_their_end_and_found_by_id_or_address(
    client: Modelport, platform: Platform
) -> None:
    first, last = {"items": [user()], "next_cursor": "c"}, {"items": [user(id="u2")], "next_cursor": None}
    platform.on(f"GET {USERS}", Answer(200, first), Answer(200, last), Answer(200, {"items": [user()]}))
    assert [each.id for each in client.users()] == ["u1", "u2"]
    assert client.users.get("ada@example.com").max_models == 200
    assert platform.asked[-1].path == f"{USERS}?email=ada%40example.com"
    platform.on(GET, Answer(200, user(disabled_at="2026-11-24T02:30:00Z")))
    found = client.users.get("u1")
    assert found.disabled_at is not None
    assert found.raw["a_field_of_a_newer_platform"]


def test_an_address_that_nobody_has_is_not_found(client: Modelport, platform: Platform) -> None:
    platform.on(f"GET {USERS}", Answer(200, {"items": [], "next_cursor": None}))
    with pytest.raises(NotFound, match=r"nobody@example\.com"):
        client.users.update("nobody@example.com", disabled=True)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"is_admin": True}, {"is_admin": True}),
        ({"disabled": False}, {"disabled": False}),
        ({"max_models": 3, "max_bytes": "default"}, {"max_models": 3, "max_bytes": None}),
    ],
)
def test_what_is_left_out_stays(
    client: Modelport, platform: Platform, given: dict[str, Any], sent: dict[str, Any]
) -> None:
    platform.on(PATCH, Answer(200, user()))
    client.users.update("u1", **given)
    assert platform.asked[0].json == sent


def test_a_link_has_the_platforms_address(client: Modelport, platform: Platform) -> None:
    platform.on(f"POST {USERS}/u1/password-link", Answer(201, LINK))
    link = client.users.password_link("u1", hours=2)
    assert (link.url, platform.asked[0].json) == (f"{platform.url}/ui/password#secret", {"hours": 2})
    assert "secret" not in repr(link)


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({}, ""),
        ({"delete_models": True}, "?models=delete"),
        ({"models_to": "bob@example.com"}, "?models=transfer&to=bob%40example.com"),
    ],
)
def test_a_deletion_says_what_becomes_of_models(
    client: Modelport, platform: Platform, given: dict[str, Any], query: str
) -> None:
    platform.on(DELETE, Answer(204))
    client.users.delete("u1", **given)
    assert platform.asked[0].path == f"{USERS}/u1{query}"


def test_models_are_handed_over(client: Modelport, platform: Platform) -> None:
    platform.on(f"POST {USERS}/u1/transfer", Answer(200, {"models": ["iris", "wine"]}))
    assert client.users.transfer("u1", "bob@example.com") == ["iris", "wine"]
    assert platform.asked[0].json == {"to": "bob@example.com"}


def test_ones_own_account_is_changed_and_deleted(client: Modelport, platform: Platform) -> None:
    platform.on("PATCH /api/v1/auth/me", Answer(200, {**USER, "email": "b@example.com"}))
    platform.on("POST /api/v1/auth/me/delete", problem(409, "It holds 1 model."), Answer(204))
    assert client.account.update(email="b@example.com", current_password="p").email == "b@example.com"
    client.account.update(full_name="")
    with pytest.raises(Conflict):
        client.account.delete("p")
    client.account.delete("p", delete_models=True)
    assert [asked.json for asked in platform.asked] == [
        {"email": "b@example.com", "current_password": "p"},
        {"full_name": None},
        {"current_password": "p", "delete_models": False},
        {"current_password": "p", "delete_models": True},
    ]


def test_a_password_is_set_by_a_link_without_any_credential(client: Modelport, platform: Platform) -> None:
    call = "POST /api/v1/auth/password"
    platform.on(call, Answer(204), problem(403, "The link is unknown, used or expired."))
    client.account.set_password("http://platform/ui/password#secret", "new")
    with pytest.raises(Forbidden):
        client.account.set_password("secret", "new")
    assert [asked.json for asked in platform.asked] == [{"token": "secret", "password": "new"}] * 2
    assert {asked.token for asked in platform.asked} == {""}


@pytest.mark.usefixtures("logged_in")
@pytest.mark.parametrize(
    ("command", "sent", "answer", "said"),
    [
        ("promote", {"is_admin": True}, {"is_admin": True}, "administrator"),
        ("demote", {"is_admin": False}, {}, "user"),
        ("disable", {"disabled": True}, {"disabled_at": "2026-11-24T02:30:00Z"}, "user, disabled"),
        ("enable", {"disabled": False}, {}, "user"),
    ],
)
def test_standing_from_the_shell(
    cli: Cli, platform: Platform, command: str, sent: dict[str, Any], answer: dict[str, Any], said: str
) -> None:
    platform.on(PATCH, Answer(200, user(**answer)))
    ended = cli("users", command, "u1")
    assert (ended.code, platform.asked[0].json) == (0, sent)
    assert ended.out.startswith(f"ada@example.com (u1): {said}\n")
    assert json.loads(cli("users", command, "u1", "--json").out) == user(**answer)


@pytest.mark.usefixtures("logged_in")
def test_users_are_shown(cli: Cli, platform: Platform) -> None:
    platform.on(f"GET {USERS}", Answer(200, {"items": [user(is_admin=True)], "next_cursor": None}))
    platform.on(GET, Answer(200, user()))
    header, row = cli("users", "list").out.splitlines()
    assert header.split()[:2] == ["ID", "E-MAIL"]
    assert "administrator" in row
    assert "1.5 MB" in row
    assert "3 of 200" in cli("users", "show", "u1").out
    assert json.loads(cli("users", "list", "--json").out) == [user(is_admin=True)]


@pytest.mark.usefixtures("logged_in")
def test_a_link_is_all_of_stdout(cli: Cli, platform: Platform) -> None:
    platform.on(f"POST {USERS}/u1/password-link", Answer(201, LINK))
    ended = cli("users", "password-link", "u1")
    assert (ended.code, ended.out) == (0, f"{platform.url}/ui/password#secret\n")
    assert "works once" in ended.err
    assert json.loads(cli("users", "password-link", "u1", "--json").out)["token"] == "secret"


@pytest.mark.usefixtures("logged_in")
def test_what_cannot_be_taken_back_asks_first(cli: Cli, platform: Platform) -> None:
    platform.on(DELETE, Answer(204))
    platform.on(f"POST {USERS}/u1/transfer", Answer(200, {"models": ["iris"]}))
    assert cli("users", "delete", "u1", stdin="n\n").code == 1
    assert cli("users", "transfer", "u1", "--to", "u2", stdin="n\n").code == 1
    assert platform.asked == []
    asked = cli("users", "delete", "u1", "--models-to", "u2", stdin="y\n")
    assert (asked.code, "give the models to u2" in asked.err) == (0, True)
    assert "1 model of u1" in cli("users", "transfer", "u1", "--to", "u2", "--yes").err
    both = cli("users", "delete", "u1", "--delete-models", "--models-to", "u2", "--yes")
    assert (both.code, len(platform.asked)) == (2, 2)


@pytest.mark.usefixtures("logged_in")
def test_an_account_with_models_says_by_which_option_they_go(cli: Cli, platform: Platform) -> None:
    platform.on(DELETE, problem(409, "The account holds 1 model. Say what becomes of them: models=delete."))
    ended = cli("users", "delete", "u1", "--yes")
    assert ended.code == 5
    assert ended.err.startswith("Error: The account holds 1 model.\n--models-to USER gives them")
    platform.on("GET /api/v1/auth/me", Answer(200, USER))
    platform.on("POST /api/v1/auth/me/delete", problem(409, "The account holds 1 model. They go with it."))
    ended = cli("account", "delete", "--yes", "--password-stdin", stdin="p\n")
    assert "--delete-models deletes them, too; an administrator" in ended.err


@pytest.mark.usefixtures("logged_in")
def test_who_is_no_administrator_is_told_so(cli: Cli, platform: Platform) -> None:
    platform.on(f"GET {USERS}", problem(403, "This is for administrators of the platform."))
    ended = cli("users", "list")
    assert (ended.code, "for administrators" in ended.err) == (3, True)


@pytest.mark.usefixtures("logged_in")
def test_a_user_that_is_not_there_leads_to_the_list(cli: Cli, platform: Platform) -> None:
    platform.on(GET, problem(404, "No such account."))
    platform.on(f"GET {USERS}", Answer(200, {"items": [], "next_cursor": None}))
    for name in ("u1", "nobody@example.com"):
        ended = cli("users", "show", name)
        assert (ended.code, "modelport users list" in ended.err) == (4, True), name


@pytest.mark.usefixtures("logged_in")
def test_ones_own_account_from_the_shell(cli: Cli, platform: Platform) -> None:
    platform.on("PATCH /api/v1/auth/me", Answer(200, {**USER, "email": "b@example.com"}))
    ended = cli("account", "email", "b@example.com", "--password-stdin", stdin="old\n")
    assert ended.out == "You log in as b@example.com from now on.\n"
    changed = cli("account", "password", "--password-stdin", "--revoke-keys", stdin="old\nnew\n")
    assert changed.code == 0
    assert [asked.json for asked in platform.asked] == [
        {"email": "b@example.com", "current_password": "old"},
        {"password": "new", "current_password": "old", "revoke_api_keys": True},
    ]
    platform.on("POST /api/v1/auth/password", Answer(204))
    link = f"{platform.url}/ui/password#secret"
    done = cli("account", "set-password", link, "--password-stdin", stdin="new\n")
    assert (done.code, platform.asked[-1].json) == (0, {"token": "secret", "password": "new"})


@pytest.mark.usefixtures("logged_in")
def test_ones_own_account_is_deleted_after_it_was_said_what_goes(cli: Cli, platform: Platform) -> None:
    platform.on("GET /api/v1/auth/me", Answer(200, {**USER, "quota": {"models": 2}}))
    platform.on("POST /api/v1/auth/me/delete", Answer(204))
    asked = cli("account", "delete", stdin="n\n")
    assert (asked.code, "batch jobs and 2 models" in asked.err) == (1, True)
    assert credentials.load(platform.url) is not None
    done = cli("account", "delete", "--yes", "--delete-models", "--password-stdin", stdin="old\n")
    assert (done.code, done.out) == (0, "The account ada@example.com is deleted.\n")
    assert platform.asked[-1].json == {"current_password": "old", "delete_models": True}
    assert credentials.load(platform.url) is None
