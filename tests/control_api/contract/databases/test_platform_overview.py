"""The audit trail and what administrators see, on both databases."""

from typing import Any

import pytest
from modelport_control_api.outbox import OutboxRow
from modelport_control_api.process.app import ControlPlane
from modelport_control_api.registry.tables import ModelRow

from tests.support.control_api import Person, make_admin


@pytest.fixture
async def admin(ada: Person, control_plane: ControlPlane) -> Person:
    make_admin(control_plane, ada)
    return ada


async def read(person: Person, path: str) -> dict[str, Any]:
    response = await person.api.get(path, headers=person.bearer)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_users_read_their_own_trail_in_pages_and_admins_everybodys(admin: Person, bob: Person) -> None:
    for number in range(3):
        await bob.make_key(name=f"key {number}")
    first = await read(bob, "/api/v1/audit?limit=2")
    rest = await read(bob, f"/api/v1/audit?cursor={first['next_cursor']}")
    entries = [*first["items"], *rest["items"]]
    assert [each["action"] for each in entries[:3]] == ["api_key.create"] * 3
    assert [each["detail"]["name"] for each in entries[:3]] == ["key 2", "key 1", "key 0"]
    assert entries[-1]["action"] == "user.register"
    assert {each["actor_id"] for each in entries} <= {bob.id, None}
    assert all(each["ip"] for each in entries)
    everybodys = await read(admin, "/api/v1/audit?all=true")
    assert {admin.id, bob.id} <= {each["actor_id"] for each in everybodys["items"]}


async def test_admins_see_users_and_when_they_were_last_seen(
    admin: Person, bob: Person, control_plane: ControlPlane
) -> None:
    with control_plane.context.database.transaction() as session:
        session.add(ModelRow(id="iris-aaaaa", owner_id=bob.id, name="Iris", traffic={"v1": 100}))
    newest, oldest = (await read(admin, "/api/v1/admin/users"))["items"]
    assert (newest["email"], newest["models"], newest["is_admin"]) == (bob.email, 1, False)
    assert (oldest["email"], oldest["models"], oldest["is_admin"]) == (admin.email, 0, True)
    assert newest["last_seen_at"] >= newest["created_at"]


async def test_admins_see_how_the_platform_is(admin: Person, control_plane: ControlPlane) -> None:
    with control_plane.context.database.transaction() as session:
        session.add(OutboxRow(model_id="iris-aaaaa"))
    found = await read(admin, "/api/v1/admin/health")
    assert found["database"]["ok"]
    assert found["artifacts"]["ok"]
    assert found["shared_store"]["ok"]
    # Nothing watches the cluster here, and that is reported.
    assert not found["cluster"]["ok"]
    assert "watch" in found["cluster"]["detail"]
    assert not found["ok"]
    assert (found["users"], found["outbox_waiting"], found["jobs"]) == (1, 1, {"queued": 0, "running": 0})
    assert found["models"] == {"pending": 0, "ready": 0, "failed": 0, "degraded": 0}
    assert found["outbox_oldest_seconds"] >= 0
    assert found["usage_age_seconds"] is None
    machine = found["machine"]
    assert machine["processors"] >= 1
    assert 0 <= machine["cpu"] <= 1
    assert 0 < machine["memory_available_bytes"] <= machine["memory_total_bytes"]
    # Model files are in a folder; rows, on PostgreSQL, in none of this machine's.
    assert machine["disks"]
    assert all(0 < disk["free_bytes"] <= disk["total_bytes"] for disk in machine["disks"])


async def test_health_is_reported_while_a_component_is_unavailable(
    admin: Person, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_sha256: str) -> bool:
        raise ConnectionError("no route to the bucket")

    monkeypatch.setattr(control_plane.models.store, "exists", broken)
    found = await read(admin, "/api/v1/admin/health")
    assert found["artifacts"]["detail"] == "ConnectionError: no route to the bucket"
    assert found["users"] == 1


async def test_limits_are_in_the_trail_with_what_they_were(admin: Person, bob: Person) -> None:
    for limits in ({"max_models": 5}, {"max_models": None, "max_bytes": 7}):
        path = f"/api/v1/admin/users/{bob.id}"
        changed = await admin.api.patch(path, json=limits, headers=admin.bearer)
        assert changed.status_code == 200, changed.text
    entries = (await read(admin, "/api/v1/audit?all=true"))["items"]
    details = [each["detail"] for each in entries if each["action"] == "user.limits"]
    assert details == [
        {"max_models": None, "max_bytes": 7, "before": {"max_models": 5, "max_bytes": None}},
        {"max_models": 5, "before": {"max_models": None}},
    ]


@pytest.mark.parametrize("call", ["admin/health", "admin/users", "audit?all=true"])
async def test_what_is_for_admins_is_refused_to_others(bob: Person, call: str) -> None:
    response = await bob.api.get(f"/api/v1/{call}", headers=bob.bearer)
    assert response.status_code == 403
    assert "dministrators" in response.json()["detail"]
