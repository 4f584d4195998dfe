"""What pages show first: failing, drifting and busy models, the period that holds the data, tags, changes."""

import json
import re
from datetime import timedelta
from html import unescape

import httpx
import pytest
from modelport_control_api.analytics import responses
from modelport_control_api.db.base import utc_now
from modelport_control_api.drift.profiles.profile import Profile
from modelport_control_api.drift.repository import keep_reference
from modelport_control_api.drift.tables import DriftStateRow
from sqlalchemy import update

from tests.control_api.contract.databases.test_analytics import line, write
from tests.control_api.unit.models.fake_cluster import DOWN, FAILED, READY
from tests.control_api.unit.models.platform import Account, Platform, sign_in


async def served(platform: Platform, ann: Account, content: bytes, name: str) -> str:
    made: str = (await ann.upload(content, name=name)).json()["id"]
    await platform.serve(made, {"v1": 100})
    return made


def drifts(platform: Platform, model_id: str) -> None:
    """As an evaluation would leave it."""
    found = [
        {"name": f"x{at}", "drifts": True, "psi": 1.0, "p_value": 0.0, "summary": "", "change": "large"}
        for at in range(5)
    ]
    with platform.plane.context.database.transaction() as session:
        reference = keep_reference(session, model_id, 1, Profile(100, ()))
        state = update(DriftStateRow).where(DriftStateRow.reference_id == reference.id)
        session.execute(state.values(state="drift", rows=500, wanted_rows=500, results=found, pending=False))


async def read(browser: httpx.AsyncClient, path: str) -> str:
    page = await browser.get(path)
    assert page.status_code == 200, (path, page.text[:300])
    return page.text


def names_in(text: str) -> list[str]:
    """Of the models in a list, in its order."""
    return re.findall(r'class="strong break" href="/ui/models/[^"]+">([^<]+)</a>', text)


async def test_the_dashboard_begins_with_what_fails_then_drifts_then_is_busiest(
    platform: Platform, ann: Account, browser: httpx.AsyncClient, iris_bytes: bytes
) -> None:
    ids = {}
    for name in ("Failed", "Down", "Erring", "Drifting", "Busy", "Quiet"):
        ids[name] = await served(platform, ann, iris_bytes, name)
    for number in range(8):
        await served(platform, ann, iris_bytes, f"Newer {number}")
    await platform.serve(ids["Failed"], {}, v1=FAILED)
    await platform.serve(ids["Down"], {"v1": 100}, v1=DOWN)
    drifts(platform, ids["Drifting"])
    now = utc_now()
    write(
        platform.plane,
        line(ids["Erring"], now, requests=95),
        line(ids["Erring"], now, requests=5, status=500, reason="ModelError"),
        line(ids["Busy"], now, requests=99, status=422),
        line(ids["Quiet"], now, requests=1),
    )
    text = await read(browser, "/ui/")
    # Eight of fourteen, and of those without requests the newest.
    assert names_in(text) == ["Failed", "Down", "Erring", "Drifting", "Busy", "Quiet", "Newer 7", "Newer 6"]
    assert f'href="/ui/models/{ids["Drifting"]}/usage#drift"' in text
    assert f'<a class="badge bad" href="/ui/models/{ids["Erring"]}/usage"' in text
    assert names_in(await read(browser, "/ui/dashboard/live"))[:4] == ["Failed", "Down", "Erring", "Drifting"]


@pytest.mark.parametrize(
    ("minutes_ago", "shown"),
    [
        ([], "hour"),
        ([1], "hour"),
        ([1, 50], "hour"),
        ([1, 75], "24 hours"),
        ([60 * 5], "24 hours"),
        ([60 * 24 * 3], "7 days"),
        ([60 * 24 * 20], "30 days"),
    ],
)
async def test_usage_opens_with_the_shortest_period_that_holds_it(
    platform: Platform,
    ann: Account,
    browser: httpx.AsyncClient,
    iris_bytes: bytes,
    minutes_ago: list[int],
    shown: str,
) -> None:
    model_id = await served(platform, ann, iris_bytes, "Iris")
    now = utc_now()
    write(platform.plane, *(line(model_id, now - timedelta(minutes=age)) for age in minutes_ago))
    for path in ("/ui/", f"/ui/models/{model_id}/usage"):
        text = await read(browser, path)
        assert f'aria-current="true" title="The last {shown}"' in text, path
    # What was chosen by hand stays, and what polls asks for what is shown.
    chosen = await read(browser, "/ui/?period=30d")
    assert 'aria-current="true" title="The last 30 days"' in chosen
    assert "/ui/dashboard/live?period=30d" in chosen


async def test_requests_of_other_users_choose_no_period(
    platform: Platform, ann: Account, bob: Account, browser: httpx.AsyncClient, iris_bytes: bytes
) -> None:
    await served(platform, ann, iris_bytes, "Mine")
    theirs = await served(platform, bob, iris_bytes, "Theirs")
    write(platform.plane, line(theirs, utc_now() - timedelta(hours=5)))
    assert 'aria-current="true" title="The last hour"' in await read(browser, "/ui/")
    other = await read(await sign_in(platform, "bob"), "/ui/")
    assert 'aria-current="true" title="The last 24 hours"' in other


async def test_the_head_says_what_failed_and_what_drifts(
    platform: Platform, ann: Account, browser: httpx.AsyncClient, iris_bytes: bytes
) -> None:
    model_id = await served(platform, ann, iris_bytes, "Iris")
    page = f"/ui/models/{model_id}"
    assert "No requests in the last hour" in await read(browser, page)
    now = utc_now()
    write(platform.plane, line(model_id, now, requests=1200), line(model_id, now, requests=3, status=404))
    write(platform.plane, line(model_id, now - timedelta(hours=3), requests=7, status=500))
    assert "1,203 requests in the last hour, none failed" in await read(browser, page)
    write(platform.plane, line(model_id, now, requests=2, status=504, reason="ModelTimeout"))
    drifts(platform, model_id)
    for path in ("", "/head", "/versions", "/usage", "/settings", "/versions/v1/logs"):
        text = await read(browser, page + path)
        assert "2 of 1,205 requests in the last hour failed" in text, path
        assert "Inputs of v1 drift: x0, x1, x2 and 2 more" in text, path


async def test_several_versions_have_lines_of_their_own(
    platform: Platform, ann: Account, browser: httpx.AsyncClient, iris_bytes: bytes
) -> None:
    model_id = await served(platform, ann, iris_bytes, "Iris")
    write(platform.plane, line(model_id, utc_now(), requests=4), line(model_id, utc_now(), version=""))
    path = f"/ui/models/{model_id}/usage?period=24h"
    assert charts_of(await read(browser, path)) == ["Requests", "Latency"]
    write(platform.plane, line(model_id, utc_now(), version="v2", requests=3, status=500))
    for part in (path, path.replace("?", "/live?")):
        text = await read(browser, part)
        assert charts_of(text) == ["Requests", "Latency", "Requests by version", "p95 latency by version"]
        drawn = json.loads(unescape(re.findall(r"data-chart='([^']+)'", text)[2]))
        assert [(each["label"], each["color"], sum(each["values"])) for each in drawn["series"]] == [
            ("v1", 1, 4),
            ("v2", 2, 3),
        ]
        assert {len(each["values"]) for each in drawn["series"]} == {len(drawn["x"])}


def charts_of(text: str) -> list[str]:
    part = text.partition('id="charts"')[2].partition("usage-tables")[0]
    return re.findall(r"<h2>([^<]+)</h2>", part)


async def test_a_list_is_sorted_and_filtered_by_its_address(
    platform: Platform, ann: Account, browser: httpx.AsyncClient, iris_bytes: bytes
) -> None:
    ids = {name: await served(platform, ann, iris_bytes, name) for name in ("beta", "Alpha", "Gamma")}
    await ann.http.patch(f"/api/v1/models/{ids['beta']}", json={"tags": ["eu", "prod"]})
    await ann.http.patch(f"/api/v1/models/{ids['Gamma']}", json={"tags": ["eu"]})
    await platform.serve(ids["Alpha"], {}, v1=FAILED)
    drifts(platform, ids["beta"])
    write(platform.plane, line(ids["Gamma"], utc_now(), requests=3))
    expected = {
        "": ["Gamma", "Alpha", "beta"],
        "sort=name": ["Alpha", "beta", "Gamma"],
        "sort=-name": ["Gamma", "beta", "Alpha"],
        "sort=requests": ["Gamma", "Alpha", "beta"],
        "sort=-requests": ["beta", "Alpha", "Gamma"],
        "sort=urgent": ["Alpha", "beta", "Gamma"],
        "sort=changed": ["Gamma", "beta", "Alpha"],
        "sort=sideways": ["Gamma", "Alpha", "beta"],
        "status=failed": ["Alpha"],
        "status=drift": ["beta"],
        "status=nonsense": ["Gamma", "Alpha", "beta"],
        "tag=eu&sort=name": ["beta", "Gamma"],
        "tag=EU&status=drift": ["beta"],
        "q=prod": ["beta"],
        "q=a&tag=prod": ["beta"],
    }
    for address, names in expected.items():
        assert names_in(await read(browser, f"/ui/models?{address}")) == names, address
        assert names_in(await read(browser, f"/ui/models/live?{address}")) == names, address
    none = await read(browser, "/ui/models?tag=nobody")
    assert "No model fits" in none
    # It can be chosen otherwise although no model has it.
    assert "<option selected>nobody</option>" in none


async def test_every_model_of_a_list_has_its_requests_however_many_were_called(
    platform: Platform,
    ann: Account,
    browser: httpx.AsyncClient,
    iris_bytes: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An overview has but the busiest models; the list shows more than those."""
    ids = {name: await served(platform, ann, iris_bytes, name) for name in ("Erring", "Idle", "Busy")}
    now = utc_now()
    erring = line(ids["Erring"], now, requests=7, status=500, reason="ModelError")
    write(platform.plane, line(ids["Busy"], now, requests=1234), erring)
    monkeypatch.setattr(responses, "MOST_MODELS", 1)
    for path in ("/ui/models", "/ui/models/live"):
        text = await read(browser, f"{path}?sort=requests")
        assert names_in(text) == ["Busy", "Erring", "Idle"], path
        assert re.findall(r'data-label="Requests today" class="number">([^<]+)<', text) == ["1,234", "7", "0"]
        assert f'<a class="badge bad" href="/ui/models/{ids["Erring"]}/usage"' in text
        assert names_in(await read(browser, f"{path}?sort=urgent")) == ["Erring", "Busy", "Idle"], path


async def test_a_column_that_is_sorted_by_says_so_and_leads_the_other_way(
    platform: Platform, ann: Account, browser: httpx.AsyncClient, iris_bytes: bytes
) -> None:
    await served(platform, ann, iris_bytes, "Iris")
    text = unescape(await read(browser, "/ui/models?q=iris&sort=requests"))
    assert '<th class="number" aria-sort="descending"><a href="/ui/models?q=iris&sort=-requests">' in text
    assert '<th aria-sort="none"><a href="/ui/models?q=iris&sort=name">' in text
    turned = unescape(await read(browser, "/ui/models?sort=-requests"))
    assert '<th class="number" aria-sort="ascending"><a href="/ui/models?sort=requests">' in turned
    # What polls keeps the order.
    assert 'hx-get="/ui/models/live?sort=-requests"' in turned


async def test_tags_are_set_by_the_form_and_lead_to_the_list(
    platform: Platform, ann: Account, browser: httpx.AsyncClient, iris_bytes: bytes
) -> None:
    model_id = await served(platform, ann, iris_bytes, "Iris")
    address = f"/ui/models/{model_id}/settings"
    token = (await read(browser, address)).split('name="csrf-token" content="')[1].partition('"')[0]
    form = {"name": "Iris", "access": "private", "timeout_seconds": "30", "acceleration": "auto"}
    sent = await browser.post(address, data={**form, "tags": " Prod,a & b ,prod", "csrf_token": token})
    assert sent.status_code == 303, sent.text
    assert (await ann.http.get(f"/api/v1/models/{model_id}")).json()["tags"] == ["a & b", "prod"]
    text = await read(browser, f"/ui/models/{model_id}")
    assert '<a class="chip" href="/ui/models?tag=a%20%26%20b">a &amp; b</a>' in text
    assert names_in(await read(browser, "/ui/models?tag=a%20%26%20b")) == ["Iris"]
    refused = await browser.post(address, data={**form, "tags": 'ok, "quoted"', "csrf_token": token})
    assert refused.status_code == 422
    assert 'id="tags-error"' in refused.text
    cleared = await browser.post(address, data={**form, "tags": "", "csrf_token": token})
    assert cleared.status_code == 303
    assert (await ann.http.get(f"/api/v1/models/{model_id}")).json()["tags"] == []


async def test_try_it_offers_a_row_like_the_training_rows_where_there_are_some(
    platform: Platform, ann: Account, browser: httpx.AsyncClient, iris_bytes: bytes
) -> None:
    model_id = (await ann.upload(iris_bytes)).json()["id"]
    columns = [{"name": "size", "kind": "integer"}, {"name": "hue", "kind": "string"}]
    signature = {"task": "classifier", "columns": columns}
    await platform.serve(model_id, {"v1": 100}, v1={**READY, "signature": signature})
    page = f"/ui/models/{model_id}"
    assert "?row=reference" not in await read(browser, page)
    # Without a reference there is nothing to draw from.
    assert 'value="0"' in await read(browser, f"{page}?row=reference")
    rows = "\n".join(["size,hue", *(f"{70 + at % 9},teal" for at in range(60))])
    given = await ann.http.put(f"/api/v1/models/{model_id}/versions/v1/reference", content=rows)
    assert given.status_code == 200, given.text
    assert f'href="{page}?row=reference"' in await read(browser, page)
    drawn = await read(browser, f"{page}?row=reference")
    (size,) = re.findall(r'data-name="size" value="(\d+)"', drawn)
    assert 70 <= int(size) <= 78
    assert 'data-name="hue" value="teal"' in drawn
    assert "each column drawn by itself" in drawn


async def test_health_shows_the_machine(platform: Platform) -> None:
    admin = await platform.admin()
    found = (await admin.http.get("/api/v1/admin/health")).json()["machine"]
    text = await read(await sign_in(platform, "root"), "/ui/admin")
    assert found["name"] in text
    assert str(platform.root / "artifacts") in text
    assert "free of" in text


async def test_the_audit_log_shows_what_was_and_what_is(
    ann: Account, browser: httpx.AsyncClient, iris_bytes: bytes
) -> None:
    model_id = (await ann.upload(iris_bytes)).json()["id"]
    change = {"access": "public", "cache_ttl_seconds": None}
    await ann.http.patch(f"/api/v1/models/{model_id}", json=change)
    text = re.sub(r"<[^>]+>", "", await read(browser, "/ui/settings/audit"))
    assert "access private →, now public" in text
    assert "cache ttl seconds 3600 →, now none" in text
