"""Versions that are joined to be one: what is stored of them, whose they must be, and what is refused."""

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import joblib
import pytest
from modelport_control_api.accounts.tables import ApiKey
from modelport_control_api.db.base import utc_now
from modelport_control_api.registry.tables import VersionRow
from modelport_formats.ensembles.archive import check
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sqlalchemy import update

from tests.control_api.unit.models.fake_cluster import FAILED
from tests.control_api.unit.models.platform import Account, Platform
from tests.support.own_code import archive as own_archive

UPLOAD = "/api/v1/models/upload"


@pytest.fixture(scope="module")
def bayes_bytes() -> bytes:
    file = io.BytesIO()
    joblib.dump(GaussianNB().fit(*load_iris(return_X_y=True)), file)
    return file.getvalue()


@pytest.fixture
async def members(ann: Account, iris_bytes: bytes, bayes_bytes: bytes) -> list[str]:
    """Two models of ann's."""
    made = [
        await ann.upload(iris_bytes, "Logistic", sample="[5.1, 3.5, 1.4, 0.2]"),
        await ann.upload(bayes_bytes, "Bayes"),
    ]
    return [each.json()["id"] for each in made]


def joined(*models: str, join: str = "vote", **more: Any) -> str:
    return json.dumps({"join": join, "members": [{"model": each} for each in models], **more})


async def send(http: httpx.AsyncClient, ensemble: str, url: str = UPLOAD, **fields: Any) -> httpx.Response:
    texts = {"ensemble": ensemble, **({"name": "Both"} if url == UPLOAD else {}), **fields}
    files = {name: text if isinstance(text, tuple) else (None, text) for name, text in texts.items()}
    return await http.post(url, files=files)


def fields(response: httpx.Response) -> list[str]:
    assert response.status_code == 422, response.text
    return [each["field"] for each in response.json()["errors"]]


async def test_members_are_one_artifact_of_their_files(
    platform: Platform, ann: Account, members: list[str], iris_bytes: bytes, tmp_path: Path
) -> None:
    response = await send(ann.http, joined(*members, join="average"))

    made = response.json()
    assert (response.status_code, made["framework"]) == (202, "ensemble"), made
    version = made["versions"][0]
    assert [(each["model"], each["version"]) for each in version["ensemble"]["members"]] == [
        (members[0], "v1"),
        (members[1], "v1"),
    ]
    assert (version["ensemble"]["join"], version["environment"]) == ("average", None)
    answer = await ann.http.get(f"/api/v1/models/{made['id']}/versions/v1/artifact")
    path = tmp_path / "downloaded"
    path.write_bytes(answer.content)
    assert answer.headers["Content-Disposition"].endswith('-v1.zip"')
    manifest = check(path)
    assert manifest.members[0].sample == {"input": [5.1, 3.5, 1.4, 0.2]}
    assert iris_bytes in answer.content
    again = (await send(ann.http, joined(*members, join="average"))).json()
    assert again["versions"][0]["sha256"] == version["sha256"]
    assert platform.incoming() == []
    await platform.published(made["id"], "v1")
    assert platform.cluster.objects[made["id"]]["spec"]["versions"][0]["framework"] == "ensemble"


async def test_what_becomes_of_a_member_afterward_changes_nothing(
    platform: Platform, ann: Account, members: list[str]
) -> None:
    made = (await send(ann.http, joined(*members))).json()
    for each in members:
        assert (await ann.http.delete(f"/api/v1/models/{each}")).status_code == 204

    answer = await ann.http.get(f"/api/v1/models/{made['id']}/versions/v1/artifact")

    assert (answer.status_code, len(answer.content)) == (200, made["versions"][0]["size"])
    assert platform.stored() == [made["versions"][0]["sha256"]]


async def test_an_ensemble_is_a_version_of_a_model_that_is_there(ann: Account, members: list[str]) -> None:
    url = f"/api/v1/models/{members[0]}/versions"

    response = await send(ann.http, joined(*members), url, traffic="0")

    assert (response.status_code, response.json()["name"]) == (202, "v2"), response.text
    audit = (await ann.http.get("/api/v1/audit")).json()["items"][0]
    assert (audit["action"], audit["detail"]["join"]) == ("version.create", "vote")
    assert audit["detail"]["members"] == [f"{each} v1" for each in members]


async def test_its_bytes_count(ann: Account, members: list[str]) -> None:
    async def held() -> int:
        quota: dict[str, int] = (await ann.http.get("/api/v1/auth/me")).json()["quota"]
        return quota["model_bytes"]

    before = await held()
    made = (await send(ann.http, joined(*members))).json()
    assert await held() == before + made["versions"][0]["size"]


async def test_a_version_is_the_one_that_serves_unless_named(
    platform: Platform, ann: Account, members: list[str], bayes_bytes: bytes
) -> None:
    first, second = members
    await platform.serve(first, {"v1": 100})
    await ann.upload_version(first, bayes_bytes, traffic="0")

    served = (await send(ann.http, joined(first, second))).json()
    named = json.dumps({"join": "vote", "members": [{"model": first, "version": "v2"}, {"model": second}]})
    asked = (await send(ann.http, named)).json()

    versions = [made["versions"][0]["ensemble"]["members"][0]["version"] for made in (served, asked)]
    assert versions == ["v1", "v2"]


async def test_nobody_joins_models_of_others(
    platform: Platform, ann: Account, bob: Account, members: list[str], iris_bytes: bytes
) -> None:
    own = (await bob.upload(iris_bytes)).json()["id"]
    theirs = await send(bob.http, joined(own, members[0]))
    none = await send(bob.http, joined(own, "nosuch-abcde"))
    async with platform.client() as nobody:
        assert (await send(nobody, joined(*members))).status_code == 401

    assert fields(theirs) == fields(none) == ["ensemble.members[1].model"]
    assert {**theirs.json(), "request_id": ""} == {**none.json(), "request_id": ""}


async def test_what_a_key_may_not_read_it_may_not_join(
    platform: Platform, ann: Account, members: list[str]
) -> None:
    async def key(**asked: Any) -> dict[str, str]:
        made = await ann.http.post("/api/v1/api-keys", json={"name": "k", **asked})
        answer: dict[str, str] = made.json()
        return answer

    both = ["models:read", "models:write"]
    expired, revoked = await key(scopes=both), await key(scopes=both)
    with platform.plane.context.database.transaction() as session:
        session.get_one(ApiKey, expired["id"]).expires_at = utc_now() - timedelta(seconds=1)
    await ann.http.delete(f"/api/v1/api-keys/{revoked['id']}")
    url = f"/api/v1/models/{members[0]}/versions"

    async def status(made: dict[str, str]) -> int:
        async with platform.client(**{"X-API-Key": made["key"]}) as http:
            return (await send(http, joined(*members), url)).status_code

    assert await status(await key(scopes=["models:read"])) == 403
    assert await status(await key(scopes=["models:write"])) == 403
    assert await status(await key(scopes=both, model_ids=[members[0]])) == 422
    assert [await status(each) for each in (expired, revoked)] == [401, 401]
    assert await status(await key(scopes=both)) == 202


A = {"model": "A"}
REFUSED: list[tuple[Any, str, str]] = [
    ("{", "ensemble", "is not JSON"),
    ("[]", "ensemble", "must be an object"),
    ({"join": "sum", "members": [A, A]}, "ensemble.join", "vote, average, chain or stack"),
    ({"join": "vote", "members": [A, {"model": 3}]}, "ensemble.members[1].model", "must be text"),
    ({"join": "vote", "members": [A]}, "ensemble.members", "at least 2"),
    ({"join": "stack", "members": [A]}, "ensemble.final", "is missing"),
    ({"join": "vote", "members": [A, "B"]}, "ensemble.members[1]", "must be an object"),
    ({"join": "vote", "members": [A, A | {"weight": 0}]}, "ensemble.members[1].weight", "more than 0"),
    ('{"join": "vote", "members": [{"model": "A", "weight": NaN}]}', "ensemble", "NaN is no JSON"),
    ({"join": "chain", "members": [A, A | {"weight": 2}]}, "ensemble.members[1].weight", "counts in a vote"),
    ({"join": "vote", "members": [A | {"name": "a"}, A]}, "ensemble.members[0].name", "of a chain"),
    ({"join": "vote", "members": [A, A], "more": 1}, "ensemble.more", "not a known field"),
    ({"join": "vote", "members": [A, A], "final": A}, "ensemble.final", "is a stack's alone"),
    ({"join": "vote", "members": [A, A | {"version": "v9"}]}, "ensemble.members[1].version", "which has v1"),
    ({"join": "vote", "members": [A] * 17}, "ensemble.members", "at most 16"),
    ({"join": "chain", "members": [A | {"name": "a"}] * 2}, "ensemble.members[1].name", "another member's"),
]


async def test_what_is_no_ensemble_is_refused_by_its_field(
    platform: Platform, ann: Account, iris_bytes: bytes
) -> None:
    model_id = (await ann.upload(iris_bytes)).json()["id"]
    before = platform.stored()

    for ensemble, field, says in REFUSED:
        text = ensemble if isinstance(ensemble, str) else json.dumps(ensemble)
        response = await send(ann.http, text.replace('"A"', json.dumps(model_id)))
        assert (fields(response), says in response.text) == ([field], True), response.text

    assert (platform.stored(), platform.incoming()) == (before, [])


async def test_what_the_members_have_is_not_sent(ann: Account, members: list[str], iris_bytes: bytes) -> None:
    ensemble = joined(*members)
    assert fields(await send(ann.http, ensemble, file=("m.joblib", iris_bytes))) == ["file"]
    assert fields(await send(ann.http, ensemble, code=("m.py", "x = 1"))) == ["code"]
    assert fields(await send(ann.http, ensemble, environment="sklearn-1.2")) == ["environment"]
    assert fields(await send(ann.http, ensemble, requirements="numpy")) == ["requirements"]
    assert fields(await send(ann.http, "")) == ["file"]


async def test_members_that_cannot_share_a_process_are_refused(
    platform: Platform, ann: Account, members: list[str], iris_bytes: bytes
) -> None:
    old = (await ann.upload(iris_bytes, environment="sklearn-1.2")).json()["id"]
    response = await send(ann.http, joined(members[0], old))
    assert fields(response) == ["ensemble"]
    assert f"{old} v1 in sklearn-1.2" in response.json()["detail"]
    assert "with the platform's own libraries" in response.json()["detail"]

    alike = await send(ann.http, joined(old, old))
    assert alike.json()["versions"][0]["environment"] == "sklearn-1.2"


async def test_neither_ensembles_nor_failed_versions_nor_two_codes_are_members(
    platform: Platform, ann: Account, members: list[str], iris_bytes: bytes
) -> None:
    nested = (await send(ann.http, joined(*members))).json()["id"]
    response = await send(ann.http, joined(nested, members[0]))
    assert (fields(response), "give its members" in response.text) == (["ensemble.members[0]"], True)

    code = own_archive({"model.py": "class Model:\n    pass\n"})
    coded = (await ann.upload(code, name="code")).json()["id"]
    assert (await send(ann.http, joined(coded, members[0]))).status_code == 202
    assert fields(await send(ann.http, joined(coded, coded, members[0]))) == ["ensemble.members[1]"]

    await platform.published(members[1], "v1")
    platform.cluster.set_status(members[1], traffic={}, v1=FAILED)
    await platform.heard(members[1], lambda live: bool(live and live.status.version("v1")))
    response = await send(ann.http, joined(*members))
    assert (fields(response), "LoadFailed" in response.text) == (["ensemble.members[1].version"], True)


async def test_a_file_that_is_gone_is_no_member(platform: Platform, ann: Account, members: list[str]) -> None:
    with platform.plane.context.database.transaction() as session:
        session.execute(update(VersionRow).where(VersionRow.model_id == members[0]).values(sha256="0" * 64))
    response = await send(ann.http, joined(*members))
    assert (fields(response), "deleted" in response.text) == (["ensemble.members[0]"], True)
    assert platform.incoming() == []


async def test_a_downloaded_one_is_said_to_be_one(ann: Account, members: list[str]) -> None:
    made = (await send(ann.http, joined(*members))).json()
    content = (await ann.http.get(f"/api/v1/models/{made['id']}/versions/v1/artifact")).content
    response = await ann.upload(content)
    assert (response.status_code, "is an ensemble" in response.text) == (422, True)


async def test_the_page_joins_versions_and_shows_what_is_wrong_with_them(
    platform: Platform, ann: Account, bob: Account, members: list[str], browser: httpx.AsyncClient
) -> None:
    page = (await browser.get("/ui/ensemble")).text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    assert f'data-member="{members[0]}"' in page

    async def post(**form: str) -> httpx.Response:
        given = {"csrf_token": token, "name": "Both", "join": "vote", "members": "\n".join(members)} | form
        return await browser.post("/ui/ensemble", data=given)

    theirs = (await bob.upload(b"class Model:\n    pass\n", name="code")).json()["id"]
    for form, says in (
        ({"members": f"{members[0]}\n{theirs}"}, f"have {theirs}, which is no model, or not yours"),
        ({"members": members[0]}, "must have at least 2 items"),
        ({"weights": "2"}, "must be a number for each member"),
        ({"weights": "2, -1"}, "must be more than 0"),
        ({"name": " "}, "must have 1 to 100 characters"),
        ({"join": "stack"}, "is missing: a stack has a model"),
        ({"csrf_token": "x"}, ""),
    ):
        refused = await post(**form)
        assert (refused.status_code in (403, 422), says in refused.text) == (True, True), refused.text

    made = await post(weights="2, 1")

    assert (made.status_code, made.headers["Location"].endswith("/versions/v1/arrival")) == (303, True)
    model_id = made.headers["Location"].split("/")[3]
    version = (await ann.http.get(f"/api/v1/models/{model_id}")).json()["versions"][0]
    assert [each["weight"] for each in version["ensemble"]["members"]] == [2.0, 1.0]
    assert "Vote of" in (await browser.get(f"/ui/models/{model_id}/versions")).text
