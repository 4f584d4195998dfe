"""The page of versions: beside the share wanted of each version, the share that it got lately."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from modelport_control_api.db.base import utc_now
from modelport_control_api.registry.tables import ModelRow
from modelport_control_api.usage import ledger
from modelport_telemetry.usage.wire import UsageBatch, UsageLine
from sqlalchemy import update

from tests.control_api.unit.models.fake_cluster import READY
from tests.control_api.unit.models.platform import Account, Platform


@pytest.fixture
async def split(platform: Platform, ann: Account, iris_bytes: bytes) -> str:
    """A model of ann's with a canary, which was changed an hour and a half ago."""
    model_id: str = (await ann.upload(iris_bytes)).json()["id"]
    await ann.upload_version(model_id, iris_bytes, traffic="0")
    await platform.serve(model_id, {"v1": 100}, v1=READY, v2=READY)
    weights = {"v1": 90, "v2": 10}
    moved = await ann.http.put(f"/api/v1/models/{model_id}/traffic", json=weights)
    assert moved.status_code == 200, moved.text
    await platform.serve(model_id, weights)
    changed(platform, utc_now() - timedelta(minutes=90))
    return model_id


def changed(platform: Platform, at: datetime) -> None:
    with platform.plane.context.database.transaction() as session:
        session.execute(update(ModelRow).values(updated_at=at))


def count(platform: Platform, model_id: str, at: datetime, **requests: int) -> None:
    """`requests` by version; `none`: refused before one was chosen."""
    lines = [
        UsageLine(
            minute=int(at.timestamp()) // 60, model=model_id, version="" if version == "none" else version,
            caller="", api_key="", status=200, reason="", cache="miss", requests=number, latency={},
        )
        for version, number in requests.items()
    ]  # fmt: skip
    with platform.plane.context.database.transaction() as session:
        ledger.write(session, [UsageBatch(str(uuid4()), "gateway", lines, 0)])


async def shown(browser: httpx.AsyncClient, model_id: str, part: str = "") -> tuple[list[Any], str]:
    """The rows of the table, the newest version first, and the words below it."""
    page = await browser.get(f"/ui/models/{model_id}/versions{part}")
    assert page.status_code == 200
    table, words = page.text.partition("Shares of the requests")[2].split("</table>", 1)
    rows = re.findall(r"<tr>((?:<td.*?</td>)+)</tr>", table)
    below = words.partition('shares-range">')[2].partition("</p>")[0]
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows], re.sub(r"<[^>]+>", "", below)


@pytest.mark.parametrize("part", ["", "/live"])
async def test_observed_stands_beside_wanted(
    platform: Platform, browser: httpx.AsyncClient, split: str, part: str
) -> None:
    count(platform, split, utc_now() - timedelta(minutes=5), v1=1824, v2=176, none=40)
    count(platform, split, utc_now() - timedelta(minutes=80), v1=5000)
    rows, words = await shown(browser, split, part)
    assert rows == [["v2", "10 %", "8.8 %", "176"], ["v1", "90 %", "91.2 %", "1,824"]]
    assert words.startswith("2,000 requests in the last hour. Each is drawn by the shares wanted.")


async def test_its_hour_is_that_of_the_models_head(
    platform: Platform, browser: httpx.AsyncClient, split: str
) -> None:
    count(platform, split, utc_now() - timedelta(minutes=60), v1=7)
    rows, words = await shown(browser, split)
    assert [row[3] for row in rows] == ["0", "0"]
    assert words.startswith("0 requests in the last hour.")
    head = await browser.get(f"/ui/models/{split}/head")
    assert "No requests in the last hour" in head.text


async def test_while_there_are_no_requests_there_is_a_dash(browser: httpx.AsyncClient, split: str) -> None:
    rows, words = await shown(browser, split)
    assert rows == [["v2", "10 %", "–", "0"], ["v1", "90 %", "–", "0"]]
    assert words.startswith("0 requests in the last hour.")


async def test_what_other_weights_did_does_not_count(
    platform: Platform, browser: httpx.AsyncClient, split: str
) -> None:
    count(platform, split, utc_now() - timedelta(minutes=20), v1=500)
    changed(platform, utc_now() - timedelta(minutes=10))
    count(platform, split, utc_now() - timedelta(minutes=5), v2=1)
    rows, words = await shown(browser, split)
    assert rows == [["v2", "10 %", "100.0 %", "1"], ["v1", "90 %", "0.0 %", "0"]]
    assert words.startswith("1 request since the minute of the model's last change, 10 minutes ago.")


async def test_a_change_by_a_clock_that_is_ahead_is_now(
    platform: Platform, browser: httpx.AsyncClient, split: str
) -> None:
    changed(platform, utc_now() + timedelta(minutes=5))
    rows, _ = await shown(browser, split)
    assert [row[2] for row in rows] == ["–", "–"]


@pytest.mark.parametrize(
    ("sticky", "words"), [("session", "A session stays on one version."), ("caller", "A caller stays")]
)
async def test_it_says_what_stays_on_one_version(
    ann: Account, browser: httpx.AsyncClient, split: str, sticky: str, words: str
) -> None:
    await ann.http.patch(f"/api/v1/models/{split}", json={"sticky": sticky})
    assert words in (await shown(browser, split))[1]


async def test_one_version_has_no_shares(ann: Account, browser: httpx.AsyncClient, iris_bytes: bytes) -> None:
    model_id = (await ann.upload(iris_bytes)).json()["id"]
    page = await browser.get(f"/ui/models/{model_id}/versions")
    assert page.status_code == 200
    assert "Shares of the requests" not in page.text


async def test_the_form_of_settings_sets_what_sticks_and_turns_it_off(
    ann: Account, browser: httpx.AsyncClient, split: str
) -> None:
    address = f"/ui/models/{split}/settings"
    page = (await browser.get(address)).text
    token = page.split('name="csrf-token" content="')[1].partition('"')[0]
    form = {"name": "Iris", "access": "private", "timeout_seconds": "30", "acceleration": "auto"}
    for given, stored in (("caller", "caller"), ("session", "session"), ("", None)):
        sent = await browser.post(address, data={**form, "sticky": given, "csrf_token": token})
        assert sent.status_code == 303, sent.text
        assert (await ann.http.get(f"/api/v1/models/{split}")).json()["sticky"] == stored
        assert f'<option value="{given}" selected>' in (await browser.get(address)).text
    refused = await browser.post(address, data={**form, "sticky": "address", "csrf_token": token})
    assert (refused.status_code, 'id="sticky-error"' in refused.text) == (422, True)
