"""A new version that lacks what callers depend on: what is asked of the cluster, and what users see of it."""

from typing import Any

import httpx
import pytest
from modelport_control_api.accounts.tables import AuditEntry
from modelport_control_api.ui.experiments.form import values_of
from sqlalchemy import select

from tests.control_api.unit.models.fake_cluster import READY, STARTING
from tests.control_api.unit.models.platform import Account, Platform, sign_in
from tests.control_api.unit.models.test_experiment_pages import posted
from tests.control_api.unit.models.test_kubectl import by_hand
from tests.support.waiting import until

Facts = dict[str, Any]


def column(name: str, kind: str = "number", **facts: Any) -> Facts:
    return {"name": name, "kind": kind, "optional": False, **facts}


def ready(*columns: Facts, **facts: Any) -> Facts:
    """A version that has answered and takes these columns."""
    return {**READY, "signature": {"task": "classifier", "columns": [*columns]}, **facts}


AGE, TOWN = column("age"), column("town", "string")
OLD, NEW = ready(AGE), ready(TOWN)
CHANGES = [
    {"what": "input_removed", "name": "age", "before": "", "after": "", "message": "input age is gone"},
    {
        "what": "input_added",
        "name": "town",
        "before": "",
        "after": "",
        "message": "input town is new and required",
    },
]
DIFFERENCE = {"compatible_with": "v1", "changes": CHANGES, "more": 0}
HELD = {
    **NEW,
    "reason": "SignatureChanged",
    "message": "It gets no requests, since callers of v1 depend on what differs: input age is gone.",
    "compatibility": {
        "version": "v1",
        "changes": [{"what": "input_removed", "name": "age"}, {"what": "input_added", "name": "town"}],
    },
}


@pytest.fixture
async def model_id(platform: Platform, ann: Account, iris_bytes: bytes) -> str:
    """v1 serves."""
    made: str = (await ann.upload(iris_bytes)).json()["id"]
    await platform.serve(made, {"v1": 100}, v1=OLD)
    return made


@pytest.fixture
async def held(platform: Platform, ann: Account, model_id: str, iris_bytes: bytes) -> str:
    """v2 is ready, was to get everything, and gets nothing."""
    assert (await ann.upload_version(model_id, iris_bytes)).status_code == 202
    await platform.serve(model_id, {"v1": 100}, v1=OLD, v2=HELD)
    return model_id


@pytest.fixture
async def idle(platform: Platform, ann: Account, model_id: str, iris_bytes: bytes) -> str:
    """v2 is ready and at 0 percent."""
    await ann.upload_version(model_id, iris_bytes, traffic="0")
    await platform.serve(model_id, {"v1": 100}, v1=OLD, v2=NEW)
    return model_id


def url(model_id: str, rest: str = "") -> str:
    return f"/api/v1/models/{model_id}{rest}"


def traffic_in_cluster(platform: Platform, model_id: str) -> list[Facts]:
    found: list[Facts] = platform.cluster.objects[model_id]["spec"]["traffic"]
    return found


async def published(platform: Platform, model_id: str, *targets: Facts) -> None:
    await until(lambda: traffic_in_cluster(platform, model_id) == [*targets])


def share(version: str, weight: int, **more: str) -> Facts:
    return {"version": version, "weight": weight, **more}


async def read(account: Account, model_id: str) -> Facts:
    model: Facts = (await account.http.get(url(model_id))).raise_for_status().json()
    return model


# What a new version asks for

ROLLOUTS: dict[str, tuple[dict[str, str], list[Facts]]] = {
    "everything": ({}, [share("v2", 100, compatibleWith="v1")]),
    "everything, in words": ({"traffic": "100"}, [share("v2", 100, compatibleWith="v1")]),
    "a form's empty fields": ({"traffic": "", "force": ""}, [share("v2", 100, compatibleWith="v1")]),
    "a share": ({"traffic": "10"}, [share("v1", 90), share("v2", 10, compatibleWith="v1")]),
    "nothing": ({"traffic": "0"}, [share("v1", 100)]),
    "everything by force": ({"force": "true"}, [share("v2", 100)]),
    "a share by force": ({"traffic": "1", "force": "true"}, [share("v1", 99), share("v2", 1)]),
    "no force": ({"force": "false"}, [share("v2", 100, compatibleWith="v1")]),
}


@pytest.mark.parametrize(("fields", "targets"), ROLLOUTS.values(), ids=ROLLOUTS)
async def test_a_new_version_asks_for(
    platform: Platform,
    ann: Account,
    model_id: str,
    iris_bytes: bytes,
    fields: dict[str, str],
    targets: list[Facts],
) -> None:
    assert (await ann.upload_version(model_id, iris_bytes, **fields)).status_code == 202
    await platform.published(model_id, "v2")
    assert traffic_in_cluster(platform, model_id) == targets


async def test_a_share_is_taken_from_all_that_serve_and_compared_with_the_heaviest(
    platform: Platform, ann: Account, idle: str, iris_bytes: bytes
) -> None:
    await ann.http.put(url(idle, "/traffic?force=true"), json={"v1": 10, "v2": 90})
    await platform.serve(idle, {"v1": 10, "v2": 90}, v1=OLD, v2=NEW)
    await ann.upload_version(idle, iris_bytes, traffic="10")
    await published(platform, idle, share("v1", 9), share("v2", 81), share("v3", 10, compatibleWith="v2"))


async def test_a_share_is_of_what_serves_and_not_of_what_is_held(
    platform: Platform, ann: Account, held: str, iris_bytes: bytes
) -> None:
    await ann.upload_version(held, iris_bytes, traffic="20")
    await published(platform, held, share("v1", 80), share("v3", 20, compatibleWith="v1"))


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *(("traffic", text) for text in ("101", "-1", "1.5", "ten", "+5", " 5", "1_0", "١٠", "²", "true")),
        *(("force", text) for text in ("yes", "1", "True", " true")),
    ],
)
async def test_a_share_or_force_that_is_none_is_named_and_makes_no_version(
    ann: Account, model_id: str, iris_bytes: bytes, field: str, text: str
) -> None:
    response = await ann.upload_version(model_id, iris_bytes, **{field: text})
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert len((await read(ann, model_id))["versions"]) == 1


async def test_neither_is_a_field_of_a_first_version(ann: Account, iris_bytes: bytes) -> None:
    for field in ({"traffic": "10"}, {"force": "true"}):
        assert (await ann.upload(iris_bytes, **field)).status_code == 422


# A version that is held


async def test_a_held_version_is_ready_its_model_degraded_and_both_say_what_differs(
    ann: Account, held: str
) -> None:
    model = (await ann.http.get(url(held, "?wait=30"))).json()
    assert (model["status"], model["reason"]) == ("degraded", "SignatureChanged")
    assert model["message"].startswith("v2 is held. It gets no requests, since callers of v1 depend on")
    assert model["message"].endswith("v1 goes on serving.")
    assert (model["traffic"], model["wanted_traffic"]) == ({"v1": 100}, {"v2": 100})
    version = (await ann.http.get(url(held, "/versions/v2?wait=30"))).json()
    assert (version["status"], version["reason"], version["traffic"]) == ("ready", "SignatureChanged", 0)
    assert version["compatibility"] == DIFFERENCE
    assert model["versions"] == [{**model["versions"][0], "compatibility": None}, version]


async def test_force_sends_it_the_requests(platform: Platform, ann: Account, held: str) -> None:
    changed = await ann.http.put(url(held, "/traffic"), params={"force": "true"}, json={"v2": 100})
    assert changed.status_code == 200
    # The cluster still calls it held; nobody waits for that any more.
    assert (changed.json()["status"], changed.json()["reason"]) == ("pending", "Progressing")
    await published(platform, held, share("v2", 100))
    back = await ann.http.post(url(held, "/rollback"))
    assert back.json()["wanted_traffic"] == {"v1": 100}


async def test_without_force_it_is_refused_with_what_differs_and_nothing_changes(
    platform: Platform, ann: Account, idle: str
) -> None:
    applies = len(platform.cluster.applies)
    for weights in ({"v2": 100}, {"v1": 90, "v2": 10}):
        response = await ann.http.put(url(idle, "/traffic"), json=weights)
        problem = response.json()
        assert (response.status_code, problem["reason"]) == (409, "SignatureChanged")
        assert response.headers["content-type"] == "application/problem+json"
        assert problem["type"].endswith("/help/reasons/#SignatureChanged")
        assert problem["detail"].startswith(
            "v2 lacks what callers of v1 depend on: input age is gone; input town is new and required. Try it"
        )
        assert problem["differences"] == {"v2": DIFFERENCE}
    assert (await read(ann, idle))["wanted_traffic"] == {"v1": 100}
    assert len(platform.cluster.applies) == applies


async def test_what_takes_more_is_compared_by_the_operator_too_which_asks_the_sample(
    platform: Platform, ann: Account, idle: str
) -> None:
    wider = ready(AGE, column("town", "string", optional=True))
    await platform.serve(idle, {"v1": 100}, v1=OLD, v2=wider)
    await platform.heard(idle, lambda live: len(live.status.version("v2").signature["columns"]) == 2)
    assert (await ann.http.put(url(idle, "/traffic"), json={"v2": 100})).status_code == 200
    await published(platform, idle, share("v2", 100, compatibleWith="v1"))


async def test_what_only_the_operator_found_out_is_refused_too(
    platform: Platform, ann: Account, idle: str
) -> None:
    sample = {"what": "sample", "name": "v1", "after": "ValueError"}
    found = {**OLD, "compatibility": {"version": "v1", "changes": [sample], "more": 3}}
    await platform.serve(idle, {"v1": 100}, v1=OLD, v2=found)
    await platform.heard(idle, lambda live: live.status.version("v2").compatibility is not None)
    response = await ann.http.put(url(idle, "/traffic"), json={"v2": 100})
    (difference,) = response.json()["differences"].values()
    assert difference["changes"][0]["message"] == "it does not answer the sample of v1: ValueError"
    assert difference["more"] == 3


async def test_a_version_that_has_requests_already_gets_more_without_force(
    platform: Platform, ann: Account, idle: str
) -> None:
    await platform.serve(idle, {"v1": 90, "v2": 10}, v1=OLD, v2=NEW)
    assert (await ann.http.put(url(idle, "/traffic"), json={"v2": 100})).status_code == 200
    await published(platform, idle, share("v2", 100))


@pytest.mark.parametrize("signature", [None, {"task": "classifier"}])
async def test_what_nobody_knows_is_no_difference(
    platform: Platform, ann: Account, idle: str, signature: Facts | None
) -> None:
    await platform.serve(idle, {"v1": 100}, v1=OLD, v2={**READY, "signature": signature})
    await platform.heard(idle, lambda live: live.status.version("v2").signature == signature)
    assert (await ann.http.put(url(idle, "/traffic"), json={"v2": 100})).status_code == 200


async def test_what_is_not_ready_is_that_before_anything_else(
    platform: Platform, ann: Account, idle: str
) -> None:
    platform.cluster.set_status(idle, traffic={"v1": 100}, v1=OLD, v2=STARTING)
    await platform.heard(idle, lambda live: not live.status.version("v2").ready)
    response = await ann.http.put(url(idle, "/traffic"), json={"v2": 100})
    assert (response.status_code, response.json()["reason"]) == (409, "NoReadyVersion")


# The way back


async def test_what_was_held_is_nothing_to_go_back_to(ann: Account, held: str) -> None:
    back = await ann.http.post(url(held, "/rollback"))
    assert back.json()["wanted_traffic"] == {"v1": 100}
    assert (await ann.http.post(url(held, "/rollback"))).status_code == 409


async def test_traffic_that_was_set_back_by_hand_is_nothing_to_go_back_to_either(
    ann: Account, held: str
) -> None:
    assert (await ann.http.put(url(held, "/traffic"), json={"v1": 100})).status_code == 200
    assert (await read(ann, held))["status"] == "ready"
    assert (await ann.http.post(url(held, "/rollback"))).status_code == 409


async def test_behind_another_version_the_way_back_leads_to_what_served(
    ann: Account, held: str, iris_bytes: bytes
) -> None:
    await ann.upload_version(held, iris_bytes)
    back = await ann.http.post(url(held, "/rollback"))
    assert back.json()["wanted_traffic"] == {"v1": 100}


async def test_a_rollback_compares_nothing(platform: Platform, ann: Account, held: str) -> None:
    await ann.http.put(url(held, "/traffic?force=true"), json={"v2": 100})
    await platform.serve(held, {"v2": 100}, v1=OLD, v2=NEW)
    assert (await ann.http.post(url(held, "/rollback"))).status_code == 200
    await published(platform, held, share("v1", 100))


async def test_a_held_version_can_be_deleted(platform: Platform, ann: Account, held: str) -> None:
    assert (await ann.http.delete(url(held, "/versions/v2"))).status_code == 204
    await published(platform, held, share("v1", 100))
    assert (await read(ann, held))["wanted_traffic"] == {"v1": 100}
    assert (await ann.http.post(url(held, "/rollback"))).status_code == 409


async def test_one_whose_traffic_was_forced_a_moment_ago_cannot(ann: Account, held: str) -> None:
    await ann.http.put(url(held, "/traffic?force=true"), json={"v2": 100})
    assert (await ann.http.delete(url(held, "/versions/v2"))).status_code == 409


async def test_with_the_version_that_it_was_compared_with_the_comparison_goes(
    platform: Platform, ann: Account, model_id: str, iris_bytes: bytes
) -> None:
    await ann.upload_version(model_id, iris_bytes)
    await platform.serve(model_id, {"v2": 100}, v1=OLD, v2=OLD)
    assert (await ann.http.delete(url(model_id, "/versions/v1"))).status_code == 204
    await published(platform, model_id, share("v2", 100))


# Who knows of it


async def test_force_is_in_the_audit_log(
    platform: Platform, ann: Account, held: str, iris_bytes: bytes
) -> None:
    await ann.http.put(url(held, "/traffic?force=true"), json={"v2": 100})
    await ann.upload_version(held, iris_bytes, traffic="5", force="true")
    with platform.plane.context.database.transaction() as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.at)).all()
    details = {(row.action, row.detail.get("version")): row.detail for row in rows}
    # Held, it was wanted already.
    before = {"traffic": {"v2": 100}}
    assert details["traffic.set", None] == {"traffic": {"v2": 100}, "before": before, "force": True}
    assert details["version.create", "v3"]["force"] is True
    assert details["version.create", "v3"]["traffic"] == 5
    assert "force" not in details["version.create", "v2"]


async def test_what_kubectl_took_away_is_out_of_sync(platform: Platform, ann: Account, held: str) -> None:
    await platform.plane.models.publisher.publish_due()
    platform.settle()
    spec = platform.cluster.objects[held]["spec"]
    platform.cluster.edit(held, {**spec, "traffic": [share("v2", 100)]})
    await platform.heard(held, lambda live: live.spec.traffic[0].compatible_with is None)
    model = await read(ann, held)
    assert model["sync"] == [{"field": "traffic.v2.compatibleWith", "in_cluster": None, "in_api": "v1"}]
    assert model["status"] == "pending", "what is asked of the cluster is what counts"


async def test_a_model_of_kubectl_that_is_held_says_so_to_administrators(platform: Platform) -> None:
    root = await platform.admin()
    model = by_hand("wine")
    other = {**model["spec"]["versions"][0], "name": "v2"}
    spec = {
        **model["spec"],
        "versions": [model["spec"]["versions"][0], other],
        "traffic": [share("v2", 100, compatibleWith="v1")],
    }
    platform.cluster.put({**model, "spec": spec})
    platform.cluster.set_status("wine", traffic={"v1": 100}, v1=OLD, v2=HELD)
    await platform.heard("wine", lambda live: live is not None and live.status.version("v2") is not None)
    assert (await read(root, "wine"))["reason"] == "SignatureChanged"


# Pages


async def page_of(browser: httpx.AsyncClient, path: str) -> str:
    page = await browser.get(f"/ui/{path}")
    assert page.status_code == 200, page.text
    return page.text


@pytest.mark.parametrize("part", ["", "/live"])
async def test_the_card_of_a_held_version_shows_what_differs(
    browser: httpx.AsyncClient, held: str, part: str
) -> None:
    card = (await page_of(browser, f"models/{held}/versions{part}")).partition("<h2>v2</h2>")[2]
    card = card.partition("<h2>v1</h2>")[0]
    assert ">Held</span>" in card
    assert "since callers of v1 depend on what differs" in card
    assert "input age is gone</li>" in card
    assert "input town is new and required</li>" in card
    assert 'data-open="force-v2"' in card


async def test_the_head_of_its_model_leads_to_what_differs(browser: httpx.AsyncClient, held: str) -> None:
    for tab in ("", "/usage", "/settings"):
        page = await page_of(browser, f"models/{held}{tab}")
        assert "v2 is held: callers of v1 depend on what it lacks or changes." in page
        assert f'<a href="/ui/models/{held}/versions">See what differs, and decide</a>' in page
    versions = await page_of(browser, f"models/{held}/versions")
    assert "v2 is held: callers of v1 depend" in versions
    assert "See what differs, and decide" not in versions


async def test_the_button_of_a_held_version_asks_and_sends_what_was_wanted(
    browser: httpx.AsyncClient, held: str
) -> None:
    page = await page_of(browser, f"models/{held}/versions")
    dialog = page.partition('<dialog id="force-v2"')[2].partition("</dialog>")[0]
    assert 'name="force" value="true"' in dialog
    assert 'name="v2" value="100"' in dialog
    assert f'action="/ui/models/{held}/traffic"' in dialog


async def test_the_page_on_which_a_version_arrives_says_that_it_is_held(
    browser: httpx.AsyncClient, held: str
) -> None:
    for part in ("arrival", "steps"):
        page = await page_of(browser, f"models/{held}/versions/v2/{part}")
        assert "It is ready, and gets no requests" in page
        assert "input age is gone</li>" in page
        assert "every 1s" not in page


async def test_a_version_at_zero_percent_shows_what_would_differ(
    browser: httpx.AsyncClient, idle: str
) -> None:
    page = await page_of(browser, f"models/{idle}/versions")
    assert "Callers of v1, which serves, depend on what differs:" in page
    assert "Held" not in page


async def test_a_version_that_takes_the_same_says_so(
    platform: Platform, browser: httpx.AsyncClient, idle: str
) -> None:
    await platform.serve(idle, {"v1": 100}, v1=OLD, v2=OLD)
    await platform.heard(idle, lambda live: live.status.version("v2").signature == OLD["signature"])
    assert "its callers can call this one" in await page_of(browser, f"models/{idle}/versions")


async def test_the_form_of_shares_says_what_differs_and_sends_them_by_force(
    platform: Platform, ann: Account, browser: httpx.AsyncClient, idle: str
) -> None:
    page = await page_of(browser, f"models/{idle}/versions")
    token = page.split('name="csrf-token" content="')[1].partition('"')[0]
    form = {"v1": "90", "v2": "10", "csrf_token": token}
    refused = await browser.post(f"/ui/models/{idle}/traffic", data=form)
    assert refused.status_code == 409
    note = refused.text.partition('class="traffic-error"')[2].partition("data-traffic")[0]
    assert "No traffic was moved: callers depend on what differs." in note
    assert "input age is gone</li>" in note
    again = {name: f'name="{name}" value="{value}"' for name, value in (("v1", 90), ("v2", 10))}
    assert all(field in note for field in (*again.values(), 'name="force" value="true"'))
    assert (await read(ann, idle))["wanted_traffic"] == {"v1": 100}
    sent = await browser.post(f"/ui/models/{idle}/traffic", data={**form, "force": "true"})
    assert sent.status_code == 303
    assert (await read(ann, idle))["wanted_traffic"] == {"v1": 90, "v2": 10}
    await published(platform, idle, share("v1", 90), share("v2", 10))


async def test_the_form_of_a_new_version_offers_all_a_share_and_none(
    browser: httpx.AsyncClient, model_id: str
) -> None:
    page = await page_of(browser, f"upload?model={model_id}")
    assert '<input type="radio" name="traffic" value="100" checked>' in page
    assert '<input type="radio" name="traffic" value="10" data-share-choice="">' in page
    assert '<input type="radio" name="traffic" value="0">' in page
    assert 'name="traffic"' not in await page_of(browser, "upload")


# As an arm of an experiment

HALVES = {"v1": 50, "v2": 50}


async def test_it_is_no_arm_of_an_experiment_unless_that_is_said(
    platform: Platform, ann: Account, idle: str
) -> None:
    experiments = f"/api/v1/models/{idle}/experiments"
    body = {"arms": HALVES, "goal": {"metric": "reward"}}
    refused = await ann.http.post(experiments, json=body)
    assert (refused.status_code, refused.json()["differences"]) == (409, {"v2": DIFFERENCE})
    assert (await read(ann, idle))["experiment"] is None
    begun = await ann.http.post(experiments, json=body, params={"force": "true"})
    assert begun.status_code == 201, begun.text
    await platform.nothing_waits()
    spec = platform.cluster.objects[idle]["spec"]
    assert {each["version"]: each["weight"] for each in spec["traffic"]} == HALVES
    assert not any(each.get("compatibleWith") for each in spec["traffic"])
    assert (await read(ann, idle))["experiment"] == 1
    with platform.plane.context.database.transaction(read_only=True) as session:
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.action == "experiment.start"))
        assert entry.detail["force"] is True


async def test_the_form_of_an_experiment_asks_whether_it_is_to_be_one_all_the_same(
    platform: Platform, ann: Account, idle: str
) -> None:
    client, base = await sign_in(platform, "ann"), f"/ui/models/{idle}/experiments"
    refused = await posted(client, base, **values_of("v1", "v2"))
    assert refused.status_code == 409
    assert "input age is gone" in refused.text
    assert "Send it requests all the same" in refused.text
    begun = await posted(client, base, **(values_of("v1", "v2") | {"force": "true"}))
    assert (begun.status_code, begun.headers["Location"]) == (303, f"{base}/1"), begun.text
    assert f'href="{base}/1"' in (await client.get(f"/ui/models/{idle}")).text
