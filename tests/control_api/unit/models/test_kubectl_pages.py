"""Pages of a model that kubectl applied: administrators see it, and nothing on them changes it."""

import httpx
import pytest

from tests.control_api.unit.models.platform import Account, Platform, sign_in
from tests.control_api.unit.models.test_kubectl import by_hand

CHANGES = (
    "settings", "delete", "traffic", "rollback", "redeploy", "versions/v1/delete", "rollouts",
    "rollouts/7/pause", "rollouts/7/promote",
)  # fmt: skip


@pytest.fixture
async def browser(platform: Platform) -> httpx.AsyncClient:
    """An administrator's, signed in by the form."""
    await platform.admin()
    platform.cluster.put(by_hand("wine", rollout={"id": 7, "version": "v1"}))
    await platform.heard("wine", lambda live: live is not None)
    return await sign_in(platform, "root")


async def test_it_is_read_only_and_says_how_to_change_it(
    platform: Platform, browser: httpx.AsyncClient
) -> None:
    tabs = ("", "/versions", "/rollouts", "/rollouts/7", "/rollouts/new", "/usage", "/quality", "/settings")
    for tab in tabs:
        page = await browser.get(f"/ui/models/wine{tab}")
        assert page.status_code == 200, tab
        assert "kubectl -n modelport-models edit mlmodel wine" in page.text
        assert "/ui/upload?model=" not in page.text
    token = page.text.split('name="csrf-token" content="')[1].partition('"')[0]
    assert "<form" not in page.text.partition("<main")[2]
    for change in CHANGES:
        form = {"confirm_name": "wine by hand", "csrf_token": token, "v1": "100", "name": "mine"}
        await browser.post(f"/ui/models/wine/{change}", data=form)
    assert platform.cluster.applies == []
    assert "wine by hand" in (await browser.get("/ui/models")).text


async def test_others_do_not_find_it(platform: Platform, browser: httpx.AsyncClient, ann: Account) -> None:
    other = await sign_in(platform, "ann")
    assert (await other.get("/ui/models/wine")).status_code == 404
    assert "wine by hand" not in (await other.get("/ui/models")).text
