"""Uploads, models, versions, traffic and keys in the SDK."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from modelport import (
    Conflict,
    Model,
    ModelFailed,
    Modelport,
    ModelportError,
    NotReadyInTime,
    SignatureChanged,
    Version,
)

from tests.client.unit.answers import USER, key, model, version
from tests.client.unit.platform import Answer, Platform, problem

MODEL = "GET /api/v1/models/iris-7kq2p"
UPLOAD = "POST /api/v1/models/upload"


def test_an_upload_is_a_form_with_the_file_last(
    client: Modelport, platform: Platform, model_file: Path
) -> None:
    platform.on(UPLOAD, Answer(202, model("pending")))
    found = client.upload(
        model_file, "Iris [v2]", model_type="sklearn", description="d", sample={"petal_width": 0.2}
    )
    assert (found.id, found.status) == ("iris-7kq2p", "pending")
    body = platform.asked[0].body
    names = [line.split(b'name="')[1].split(b'"')[0] for line in body.split(b"\r\n") if b'name="' in line]
    assert names == [b"name", b"model_type", b"description", b"sample", b"file"]
    assert model_file.read_bytes() in body
    assert b'filename="my model.joblib"' in body
    assert b'{"petal_width": 0.2}' in body


def test_an_upload_reports_its_progress(client: Modelport, platform: Platform, model_file: Path) -> None:
    platform.on(UPLOAD, Answer(202, model()))
    reported: list[tuple[int, int]] = []
    client.upload(model_file, "x", on_progress=lambda sent, size: reported.append((sent, size)))
    assert reported == sorted(reported)
    assert reported[0][0] <= 65_536, "chunk by chunk, not whole"
    assert reported[-1] == (256_000, 256_000)


def test_a_refused_upload_is_sent_again_from_its_start(
    client: Modelport, platform: Platform, model_file: Path
) -> None:
    busy = problem(503, "The disk is busy.", headers={"Retry-After": "1"})
    platform.on(UPLOAD, busy, Answer(202, model()))
    client.upload(model_file, "x", on_progress=lambda _sent, _size: None)
    assert all(model_file.read_bytes() in asked.body for asked in platform.asked)
    assert len(platform.asked) == 2


def test_a_file_that_cannot_be_read_is_named(client: Modelport, tmp_path: Path) -> None:
    with pytest.raises(ModelportError, match=r"gone\.joblib cannot be read: No such file"):
        client.upload(tmp_path / "gone.joblib", "x")


def test_settings_are_changed_alone(client: Modelport, platform: Platform, model_file: Path) -> None:
    platform.on(MODEL.replace("GET", "PATCH"), Answer(200, model(acceleration="off")))
    changed = client.update("iris-7kq2p", acceleration="off")
    assert (changed.acceleration, platform.asked[0].json) == ("off", {"acceleration": "off"})
    platform.on(UPLOAD, Answer(202, model("pending", acceleration="off")))
    assert client.upload(model_file, "x", acceleration="off").acceleration == "off"
    assert b'name="acceleration"\r\n\r\noff\r\n' in platform.asked[1].body


@pytest.mark.parametrize(("given", "sent"), [("caller", "caller"), ("session", "session"), ("off", None)])
def test_what_sticks_to_a_version_is_set_and_turned_off(
    client: Modelport, platform: Platform, given: Any, sent: str | None
) -> None:
    platform.on(MODEL.replace("GET", "PATCH"), Answer(200, model(sticky=sent)))
    changed = client.update("iris-7kq2p", sticky=given)
    assert (changed.sticky, platform.asked[0].json) == (sent, {"sticky": sent})


def test_a_model_of_a_platform_that_knows_no_stickiness_has_none(
    client: Modelport, platform: Platform
) -> None:
    old = model()
    del old["sticky"]
    platform.on(MODEL, Answer(200, old))
    assert client.model("iris-7kq2p").sticky is None


def test_tags_are_set_removed_and_asked_for(client: Modelport, platform: Platform) -> None:
    change = MODEL.replace("GET", "PATCH")
    platform.on(change, Answer(200, model(tags=["eu", "prod"])), Answer(200, model(tags=[])))
    assert client.models.update("iris-7kq2p", tags=["prod", "eu"]).tags == ("eu", "prod")
    assert client.models.update("iris-7kq2p", tags=[]).tags == ()
    assert [asked.json for asked in platform.asked] == [{"tags": ["prod", "eu"]}, {"tags": []}]
    page = {"items": [model(tags=["eu"])], "next_cursor": None}
    platform.on("GET /api/v1/models", Answer(200, page), Answer(200, page))
    assert [found.tags for found in client.models.list(tags=["eu", "a b"])] == [("eu",)]
    assert platform.asked[2].path == "/api/v1/models?tag=eu&tag=a+b"
    # One tag that was not put into a list is not taken for its letters.
    client.models.list(tags="eu")
    assert platform.asked[3].path == "/api/v1/models?tag=eu"


def test_a_model_of_a_platform_that_knows_no_tags_has_none(client: Modelport, platform: Platform) -> None:
    platform.on(MODEL, Answer(200, model()))
    assert client.model("iris-7kq2p").tags == ()


def test_a_change_whose_response_was_lost_is_sent_again(client: Modelport, platform: Platform) -> None:
    platform.on(MODEL.replace("GET", "PATCH"), Answer(cut=True), Answer(200, model()))
    client.update("iris-7kq2p", name="B")
    assert [asked.json for asked in platform.asked] == [{"name": "B"}] * 2


def test_a_version_reports_its_engine_and_its_proof(client: Modelport, platform: Platform) -> None:
    platform.on(MODEL, Answer(200, model()))
    (found,) = client.versions("iris-7kq2p")
    assert found.engine == "numpy"
    assert found.acceleration == {
        "rows_compared": 4096,
        "largest_difference": 0.0,
        "detail": "They are equal.",
    }


def test_a_list_is_read_to_its_end(client: Modelport, platform: Platform) -> None:
    platform.on(
        "GET /api/v1/models",
        Answer(200, {"items": [model(id="a")], "next_cursor": "c 1"}),
        Answer(200, {"items": [model(id="b")], "next_cursor": None}),
    )
    assert [found.id for found in client.models()] == ["a", "b"]
    assert platform.asked[1].path == "/api/v1/models?cursor=c+1"


def test_a_model_is_typed_and_keeps_what_is_new(client: Modelport, platform: Platform) -> None:
    platform.on(MODEL, Answer(200, model(new_field=1)))
    found = client.model("iris-7kq2p")
    assert found.created_at == datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
    assert found.versions[0].size == 1_234_567
    assert found.raw["new_field"] == 1


def test_waiting_shows_each_state_and_ends_when_it_serves(client: Modelport, platform: Platform) -> None:
    platform.on(MODEL, Answer(200, model("pending")), Answer(200, model("pending")), Answer(200, model()))
    seen: list[str] = []
    found = client.wait_for_model("iris-7kq2p", on_status=lambda each: seen.append(each.status))
    assert found.status == "ready"
    assert seen == ["pending", "pending", "ready"]
    assert [asked.path.partition("?")[2] for asked in platform.asked] == ["", "wait=20", "wait=20"]


def test_a_version_that_still_progresses_is_waited_for(client: Modelport, platform: Platform) -> None:
    path = "GET /api/v1/models/iris-7kq2p/versions/v2"
    first = version("v2", "degraded", reason="Progressing")
    platform.on(path, Answer(200, first), Answer(200, version("v2")))
    assert client.wait_for_version("iris-7kq2p", "v2").status == "ready"


def test_a_degraded_model_serves_so_waiting_ends(client: Modelport, platform: Platform) -> None:
    platform.on(MODEL, Answer(200, model("degraded", reason="LibraryMismatch")))
    assert client.wait_for_model("iris-7kq2p").reason == "LibraryMismatch"


def test_waiting_for_a_model_that_fails_raises_its_reason(client: Modelport, platform: Platform) -> None:
    failed = model("failed", reason="MissingModule", message="No module named 'mine'.")
    platform.on(MODEL, Answer(200, failed))
    with pytest.raises(ModelFailed, match="MissingModule: No module named 'mine'") as error:
        client.wait_for_model("iris-7kq2p")
    assert error.value.reason == "MissingModule"


def test_waiting_ends_in_time(client: Modelport, platform: Platform) -> None:
    platform.on(MODEL, Answer(200, model("pending")))
    with pytest.raises(NotReadyInTime, match="The model is loading"):
        client.wait_for_model("iris-7kq2p", seconds=0.01)


def test_a_version_is_added_waited_for_and_deleted(
    client: Modelport, platform: Platform, model_file: Path
) -> None:
    path = "/api/v1/models/iris-7kq2p/versions"
    platform.on(f"POST {path}", Answer(202, version("v2", "pending")))
    platform.on(f"GET {path}/v2", Answer(200, version("v2")))
    platform.on(f"DELETE {path}/v2", Answer(204))
    platform.on(f"GET {path}/v2/logs", Answer(200, b"line 1\nline 2\n"))
    assert client.add_version("iris-7kq2p", model_file, move_traffic=False).name == "v2"
    assert b'name="traffic"\r\n\r\n0\r\n' in platform.asked[0].body
    assert client.wait_for_version("iris-7kq2p", "v2").status == "ready"
    assert client.logs("iris-7kq2p", "v2", tail=2) == "line 1\nline 2\n"
    client.delete_version("iris-7kq2p", "v2")
    assert len(platform.asked) == 4


def test_a_new_version_gets_a_share_also_by_force(
    client: Modelport, platform: Platform, model_file: Path
) -> None:
    path = "/api/v1/models/iris-7kq2p/versions"
    platform.on(f"POST {path}", Answer(202, version("v2", "pending")))
    client.versions.create("iris-7kq2p", model_file, traffic=10, force=True)
    client.versions.create("iris-7kq2p", model_file)
    first, second = (asked.body for asked in platform.asked)
    assert b'name="traffic"\r\n\r\n10\r\n' in first
    assert b'name="force"\r\n\r\ntrue\r\n' in first
    # Platforms of before know no such field.
    assert b'name="traffic"' not in second
    assert b'name="force"' not in second


DIFFERENCE = {
    "compatible_with": "v1",
    "changes": [{"what": "input_removed", "name": "age", "message": "input age is gone"}],
    "more": 0,
}


def test_waiting_for_a_version_that_is_held_raises_what_differs(
    client: Modelport, platform: Platform
) -> None:
    held = version("v2", reason="SignatureChanged", message="It gets no requests.", compatibility=DIFFERENCE)
    platform.on("GET /api/v1/models/iris-7kq2p/versions/v2", Answer(200, held))
    with pytest.raises(SignatureChanged, match=r"^v2: It gets no requests\.") as error:
        client.wait_for_version("iris-7kq2p", "v2")
    assert error.value.differences == {"v2": DIFFERENCE}
    assert isinstance(error.value.held, Version)
    assert (error.value.held.is_held, error.value.held.compatibility) == (True, DIFFERENCE)
    assert client.version("iris-7kq2p", "v2").is_held, "reading it is no error"


def test_waiting_for_a_model_whose_version_is_held_raises_too(client: Modelport, platform: Platform) -> None:
    held = version("v2", reason="SignatureChanged", compatibility=DIFFERENCE)
    found = model("degraded", reason="SignatureChanged", message="v2 is held.", versions=[version(), held])
    platform.on(MODEL, Answer(200, found))
    with pytest.raises(SignatureChanged, match=r"v2 is held\.") as error:
        client.wait_for_model("iris-7kq2p")
    assert error.value.differences == {"v2": DIFFERENCE}


def test_traffic_that_is_refused_says_what_differs_and_goes_by_force(
    client: Modelport, platform: Platform
) -> None:
    refusal = problem(409, "v2 lacks it.", reason="SignatureChanged", differences={"v2": DIFFERENCE})
    path = "PUT /api/v1/models/iris-7kq2p/traffic"
    platform.on(path, refusal, Answer(200, model(traffic={"v2": 100})))
    with pytest.raises(Conflict, match=r"v2 lacks it\.") as error:
        client.models.set_traffic("iris-7kq2p", {"v2": 100})
    assert isinstance(error.value, SignatureChanged)
    assert (error.value.differences, error.value.held) == ({"v2": DIFFERENCE}, None)
    assert client.models.set_traffic("iris-7kq2p", {"v2": 100}, force=True).traffic == {"v2": 100}
    assert [asked.path.partition("?")[2] for asked in platform.calls(path)] == ["", "force=true"]


def test_another_conflict_is_none_of_the_signature(client: Modelport, platform: Platform) -> None:
    platform.on(
        "PUT /api/v1/models/iris-7kq2p/traffic", problem(409, "v2 is pending.", reason="NoReadyVersion")
    )
    with pytest.raises(Conflict) as error:
        client.models.set_traffic("iris-7kq2p", {"v2": 100})
    assert type(error.value) is Conflict


def test_traffic_is_shared_and_rolled_back(client: Modelport, platform: Platform) -> None:
    path = "/api/v1/models/iris-7kq2p"
    platform.on(f"PUT {path}/traffic", Answer(200, model(traffic={"v1": 90, "v2": 10})))
    platform.on(f"POST {path}/rollback", Answer(200, model()))
    platform.on(f"DELETE {path}", Answer(204))
    assert client.traffic("iris-7kq2p", {"v1": 90, "v2": 10}).traffic == {"v1": 90, "v2": 10}
    assert platform.asked[0].json == {"v1": 90, "v2": 10}
    assert client.rollback("iris-7kq2p").traffic == {"v1": 100}
    client.delete("iris-7kq2p")


def test_keys_are_made_listed_rotated_and_revoked(client: Modelport, platform: Platform) -> None:
    path = "/api/v1/api-keys"
    platform.on(f"POST {path}", Answer(201, key(key="mlp_live_secret")))
    platform.on(f"GET {path}", Answer(200, {"items": [key()], "next_cursor": None}))
    platform.on(f"POST {path}/k1/rotate", Answer(200, key(key="mlp_live_other")))
    platform.on(f"DELETE {path}/k1", Answer(204))
    moment = datetime(2027, 1, 1, tzinfo=UTC)
    made = client.create_key("ci", scopes=["predict"], model_ids=["m"], expires_at=moment)
    assert made.key == "mlp_live_secret"
    assert "secret" not in repr(made)
    assert platform.asked[0].json == {
        "name": "ci",
        "scopes": ["predict"],
        "model_ids": ["m"],
        "expires_at": "2027-01-01T00:00:00+00:00",
    }
    assert client.keys()[0].key is None
    assert client.rotate_key("k1", grace_seconds=60).key == "mlp_live_other"
    assert platform.asked[2].json == {"grace_seconds": 60}
    client.revoke_key("k1")


def test_an_account_is_registered_without_a_credential(client: Modelport, platform: Platform) -> None:
    platform.on("POST /api/v1/auth/register", Answer(201, USER))
    assert client.register("ada@example.com", "pw", full_name="Ada").full_name == "Ada"
    client.register("ada@example.com", "pw", invite="token")
    sent = [json.loads(asked.body).get("invite") for asked in platform.asked]
    assert sent == [None, "token"]
    assert platform.asked[0].json == {"email": "ada@example.com", "password": "pw", "full_name": "Ada"}
    assert platform.asked[0].token == ""


def test_an_endpoint_that_is_a_path_is_of_the_address_that_was_called() -> None:
    path, whole = "/predict/iris-7kq2p", "https://models.example.com/predict/iris-7kq2p"
    found = Model.from_json(model(predict_url=path), "http://192.168.1.20:8000")
    assert found.predict_url == found.raw["predict_url"] == f"http://192.168.1.20:8000{path}"
    assert Model.from_json(model(predict_url=whole), "http://x").predict_url == whole
