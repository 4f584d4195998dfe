"""The pages of experiments: one is begun by its form, watched, and promoted."""

import json
import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from modelport_control_api.registry.tables import ExperimentRow
from modelport_control_api.ui.experiments.form import parse, values_of
from sqlalchemy import select
from sqlalchemy.orm import undefer

from tests.control_api.unit.models.fake_cluster import READY
from tests.control_api.unit.models.platform import Account, Platform, sign_in
from tests.control_api.unit.models.test_experiments import (
    HALVES,
    looked_at,
    model_id,
    predicted,
    read,
    rewind,
    start,
    stored,
)
from tests.support.waiting import until

__all__ = ["model_id"]


async def posted(client: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    page = (await client.get("/ui/")).text
    token = re.findall(r'name="csrf-token" content="([^"]+)"', page)[0]
    return await client.post(path, data={"csrf_token": token, **form})


def look_again(platform: Platform, model_id: str) -> None:
    """As if an hour later a look had found the same."""
    with platform.plane.context.database.transaction() as session:
        row = session.scalars(
            select(ExperimentRow).options(undefer(ExperimentRow.looks)).filter_by(model_id=model_id)
        ).one()
        [look] = row.looks
        later = datetime.fromisoformat(look["at"]) + timedelta(hours=1)
        row.looks = [look, {**look, "at": later.isoformat()}]


def charts(page: str) -> list[Any]:
    return [json.loads(unescape(each)) for each in re.findall(r"data-chart='([^']*)'", page)]


async def test_from_the_form_to_the_promotion(platform: Platform, ann: Account, model_id: str) -> None:
    client, base = await sign_in(platform, "ann"), f"/ui/models/{model_id}/experiments"
    assert "No experiments yet" in (await client.get(base)).text
    assert "Begin the experiment" in (await client.get(f"{base}/new")).text
    begun = await posted(client, base, **values_of("v1", "v2"))
    assert (begun.status_code, begun.headers["Location"]) == (303, f"{base}/1"), begun.text
    await platform.nothing_waits()
    await platform.serve(model_id, HALVES, v1=READY, v2=READY)
    await until(lambda: stored(platform, model_id).state == "running")
    predicted(platform, model_id, {"v1": 200, "v2": 400})
    rewind(platform, model_id, days=8)
    await looked_at(platform, model_id)
    found = await read(ann, model_id)
    # Of one look alone there is nothing to draw.
    assert "data-chart='" not in (await client.get(f"{base}/1")).text
    look_again(platform, model_id)
    found = await read(ann, model_id)
    assert "See how it goes" in (await client.get(f"{base}/new")).text
    page = (await client.get(f"{base}/1")).text
    assert found["verdict"] in unescape(page)
    assert ">2,000<" in page
    [chart] = charts(page)
    assert [line["values"] for line in chart["series"]] == [
        [look["intervals"][0][name] for look in found["looks"]] for name in ("estimate", "lower", "upper")
    ]
    live = (await client.get(f"{base}/1/live")).text
    assert found["verdict"] in unescape(live)
    assert charts(live) == [chart]
    promoted = await posted(client, f"{base}/1/promote", version="v2")
    assert promoted.status_code == 303
    assert (await read(ann, model_id))["promoted"] == "v2"
    # It is over: that is said, and nothing happens.
    assert (await posted(client, f"{base}/1/stop")).status_code == 303
    assert (await read(ann, model_id))["promoted"] == "v2"
    assert "Promoted" in (await client.get(base)).text


async def test_one_that_is_inconclusive_can_still_be_ended(
    platform: Platform, ann: Account, model_id: str
) -> None:
    client, base = await sign_in(platform, "ann"), f"/ui/models/{model_id}/experiments"
    await start(platform, ann, model_id)
    rewind(platform, model_id, days=61)
    await until(lambda: stored(platform, model_id).state == "inconclusive")
    assert "See how it goes" in (await client.get(f"{base}/new")).text
    page = (await client.get(f"{base}/1")).text
    assert 'data-open="stop"' in page
    assert 'hx-trigger="every' in page
    await posted(client, f"{base}/1/promote", version="v2")
    assert (await read(ann, model_id))["promoted"] == "v2"
    assert 'data-open="stop"' not in (await client.get(f"{base}/1")).text


async def test_what_cannot_begin_is_said_on_the_form(platform: Platform, ann: Account, model_id: str) -> None:
    client, base = await sign_in(platform, "ann"), f"/ui/models/{model_id}/experiments"
    for changed, words in (
        ({"version": "v1"}, "must be another version than the control"),
        ({"percent": "100"}, "must be a whole number from 1 to 99"),
        ({"min_days": "70"}, "max_days must not be less than min_days"),
        ({"guardrail": "reward"}, "What must not become worse must be another metric than the goal"),
        ({"guardrail": "mae", "tolerance": "-1"}, "By more than must be"),
        ({"metric": "luck"}, "must be"),
        ({"version": "v9"}, "v9"),
    ):
        answer = await posted(client, base, **(values_of("v1", "v2") | changed))
        assert answer.status_code in (409, 422), changed
        assert words in unescape(answer.text), changed
    assert (await ann.http.get(f"/api/v1/models/{model_id}/experiments")).json() == {"items": []}


@pytest.mark.parametrize(
    ("given", "arms", "takes_all", "guardrails"),
    [
        ({}, {"v1": 50, "v2": 50}, False, []),
        (
            {
                "percent": " 10 %",
                "winner_takes_all": "true",
                "guardrail": "accuracy",
                "tolerance": "0.01",
            },
            {"v1": 90, "v2": 10},
            True,
            [("accuracy", 0.01)],
        ),
    ],
)
def test_the_form_is_the_body_of_the_call(
    given: dict[str, str], arms: dict[str, Any], takes_all: bool, guardrails: list[Any]
) -> None:
    body = parse(values_of("v1", "v2") | given).body
    assert body is not None
    assert (body.arms, body.control, body.winner_takes_all) == (arms, "v1", takes_all)
    assert [(each.metric, each.tolerance) for each in body.guardrails] == guardrails
