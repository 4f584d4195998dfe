"""The API store: what writes do, what is refused, what outlives the process, what watchers hear."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from modelport_kube.kube import Conflict, Rejected, WatchEvent
from modelport_standalone.local_cluster.cluster import LocalCluster
from modelport_standalone.local_cluster.saved_models import DamagedState, SavedModels
from modelport_standalone.local_cluster.watching import Watcher

from tests.standalone.unit.objects import NAMESPACE, apply, model


async def test_applying_the_same_again_writes_nothing(cluster: LocalCluster) -> None:
    assert await apply(cluster, model()) == await apply(cluster, model())


async def test_only_a_changed_spec_is_a_new_generation(cluster: LocalCluster) -> None:
    assert (await apply(cluster, model()))["metadata"]["generation"] == 1
    labeled = model()
    labeled["metadata"]["labels"] = {"b": "2"}
    merged = await apply(cluster, labeled)
    assert merged["metadata"]["generation"] == 1
    assert merged["metadata"]["labels"] == {"a": "1", "b": "2"}
    assert (await apply(cluster, model(displayName="Iris")))["metadata"]["generation"] == 2


async def test_a_status_and_a_spec_do_not_overwrite_each_other(cluster: LocalCluster) -> None:
    await apply(cluster, model())
    written = await cluster.patch_status("MLModel", NAMESPACE, "iris", {"url": "/predict/iris"})
    assert written is not None
    assert written["metadata"]["generation"] == 1
    assert (await apply(cluster, model(displayName="Iris")))["status"] == {"url": "/predict/iris"}


async def test_the_status_of_what_is_gone_is_not_written(cluster: LocalCluster) -> None:
    assert await cluster.patch_status("MLModel", NAMESPACE, "iris", {}) is None


async def test_what_was_read_can_be_changed_without_harm(cluster: LocalCluster) -> None:
    read = await apply(cluster, model())
    read["spec"]["versions"].clear()
    found = await cluster.get("MLModel", NAMESPACE, "iris")
    assert found is not None
    assert len(found["spec"]["versions"]) == 1


async def test_what_must_not_be_there_is_not_touched_if_it_is(cluster: LocalCluster) -> None:
    made = await cluster.create(model(), field_manager="test")
    with pytest.raises(Conflict):
        await cluster.create(model(displayName="other"), field_manager="test")
    assert await cluster.get("MLModel", NAMESPACE, "iris") == made


async def test_what_is_meant_by_its_uid_is_that_or_nothing(cluster: LocalCluster) -> None:
    uid = (await apply(cluster, model()))["metadata"]["uid"]
    same, other = model(displayName="Iris"), model(displayName="other")
    same["metadata"]["uid"], other["metadata"]["uid"] = uid, "another"
    assert (await apply(cluster, same))["metadata"]["uid"] == uid
    with pytest.raises(Conflict):
        await apply(cluster, other)
    with pytest.raises(Conflict):
        await cluster.delete("MLModel", NAMESPACE, "iris", uid="another")
    assert await cluster.get("MLModel", NAMESPACE, "iris")
    await cluster.delete("MLModel", NAMESPACE, "iris", uid=uid)
    assert await cluster.get("MLModel", NAMESPACE, "iris") is None
    with pytest.raises(Conflict):
        await apply(cluster, same)
    await cluster.delete("MLModel", NAMESPACE, "iris", uid=uid)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"versions": []}, "at least one version"),
        ({"versions": [{"name": "v1"}]}, "framework"),
        ({"traffic": [{"version": "v1", "weight": 90}]}, "sum to 90"),
        ({"traffic": [{"version": "v2", "weight": 100}]}, "no version 'v2'"),
        ({"scaling": {"minReplicas": 2, "maxReplicas": 1}}, "minReplicas"),
        ({"scaling": {"minReplicas": 0}}, r">= 1.*spec\.scaling\.minReplicas"),
        ({"timeoutSeconds": 0}, "timeoutSeconds"),
    ],
)
async def test_a_model_that_breaks_a_rule_is_refused(
    cluster: LocalCluster, spec: dict[str, Any], said: str
) -> None:
    with pytest.raises(Rejected, match=said):
        await apply(cluster, model(**spec))
    assert await cluster.list("MLModel", None) == []


async def test_the_artifact_of_a_version_never_changes(cluster: LocalCluster) -> None:
    await apply(cluster, model())
    changed = model()
    changed["spec"]["versions"][0]["artifact"]["sha256"] = "b" * 64
    with pytest.raises(Rejected, match="v1 exists"):
        await apply(cluster, changed)


async def test_models_outlive_the_process_with_their_status(tmp_path: Path) -> None:
    first = LocalCluster(tmp_path)
    async with first.running():
        await apply(first, model())
        await apply(first, model("gone"))
        await first.delete("MLModel", NAMESPACE, "gone")
        written = await first.patch_status("MLModel", NAMESPACE, "iris", {"url": "/predict/iris"})
    second = LocalCluster(tmp_path)
    async with second.running():
        assert await second.list("MLModel", None) == [written]
        changed = await apply(second, model(displayName="Iris"))
        assert written is not None
        assert int(changed["metadata"]["resourceVersion"]) > int(written["metadata"]["resourceVersion"])


def test_a_damaged_file_is_named_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "cluster.db"
    file.write_bytes(b"no database" * 100)
    with pytest.raises(DamagedState, match=str(file)):
        SavedModels(file)
    assert file.read_bytes() == b"no database" * 100


async def test_a_watcher_hears_what_is_there_and_then_every_change(cluster: LocalCluster) -> None:
    await apply(cluster, model("first"))
    heard: list[tuple[str, str]] = []
    synced = asyncio.Event()

    async def listen() -> None:
        async for event in cluster.watch("MLModel", NAMESPACE):
            heard.append((event.type, event.object.get("metadata", {}).get("name", "")))
            if event.type == "SYNCED":
                synced.set()

    listening = asyncio.create_task(listen())
    await synced.wait()
    await apply(cluster, model("second"))
    await asyncio.sleep(0.01)
    await apply(cluster, model("second", displayName="Second"))
    await asyncio.sleep(0.01)
    await cluster.delete("MLModel", NAMESPACE, "first")
    await asyncio.sleep(0.01)
    listening.cancel()
    assert heard == [
        ("ADDED", "first"),
        ("SYNCED", ""),
        ("ADDED", "second"),
        ("MODIFIED", "second"),
        ("DELETED", "first"),
    ]


async def test_a_slow_watcher_gets_the_last_state_and_holds_one_event_an_object() -> None:
    watcher = Watcher("MLModel", None)
    for number in range(1000):
        watcher.notify("ADDED" if number == 0 else "MODIFIED", _tagged("kept", number))
        watcher.notify("ADDED", _tagged(f"short-lived-{number}", 0))
        watcher.notify("DELETED", _tagged(f"short-lived-{number}", 0))
    events = watcher.events([])
    assert (await anext(events)).type == "SYNCED"
    assert await anext(events) == WatchEvent("ADDED", _tagged("kept", 999))
    assert not watcher._waiting


def _tagged(uid: str, number: int) -> dict[str, Any]:
    return {"kind": "MLModel", "metadata": {"uid": uid, "namespace": NAMESPACE}, "number": number}
