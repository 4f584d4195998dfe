"""Killed between any two of its writes, the operator's next life ends where an undisturbed one does."""

import os
import time
from typing import Any

import pytest

from tests.e2e.operator.manifests import mlmodel
from tests.e2e.operator.operating import World, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

_UNSTABLE = ("lastTransitionTime", "observedGeneration")


def _change(world: World) -> None:
    """One version becomes another one, with two replicas: objects are made, changed and deleted."""
    model = mlmodel("iris", "v2", scaling={"minReplicas": 2, "maxReplicas": 2})
    world.models.run("apply", "-f", "-", input=model)


def _begin(world: World) -> None:
    with world.operator():
        world.models.run("apply", "-f", "-", input=mlmodel())
        until(lambda: _is_settled(world, "v1", 4))


def _is_settled(world: World, version: str, objects: int) -> bool:
    found = world.children()
    named = {obj["metadata"]["name"] for obj in found}
    conditions = world.status("iris").get("conditions", [])
    generation = world.models.json("get", "mlm", "iris")["metadata"]["generation"]
    seen = bool(conditions) and conditions[0]["observedGeneration"] == generation
    return (
        named == {f"iris-{version}"}
        and len(found) == objects
        and seen
        and bool(world.reason("iris", version))
    )


def _end(world: World) -> dict[str, Any]:
    """What is there when an operator has had its way."""
    with world.operator():
        until(lambda: _is_settled(world, "v2", 5))
        until(lambda: _has_said_its_last(world), every=2)
    state = {obj["kind"]: [obj["metadata"]["labels"], obj.get("spec")] for obj in world.children()}
    return {**state, "status": _stable(world.status("iris"))}


def _has_said_its_last(world: World) -> bool:
    """Whether the pods' way to where they wait, which its message follows, is over."""
    before = world.status("iris")
    time.sleep(2)
    return "waiting for its pod" not in str(before) and world.status("iris") == before


def _stable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stable(each) for key, each in value.items() if key not in _UNSTABLE}
    return [_stable(each) for each in value] if isinstance(value, list) else value


def _begin_anew(world: World) -> None:
    world.delete_models()
    world.platform.run("delete", "lease", "--all")


def test_killed_before_each_of_its_writes_it_ends_in_the_same_state(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _begin(world)
    _change(world)
    undisturbed = _end(world)
    killed = 0
    for writes in range(100):
        _begin_anew(world)
        _begin(world)
        _change(world)
        monkeypatch.setitem(os.environ, "DIE_AFTER_WRITES", str(writes))
        if not _dies(world):
            break
        killed += 1
        # The killed one holds it for another 15 seconds.
        world.platform.run("delete", "lease", "--all")
        assert _end(world) == undisturbed, f"killed before write {writes}"
    # Five objects made, four deleted, at least one status and one Event.
    assert killed >= 11


def _dies(world: World) -> bool:
    """Whether the kill came before all was done."""
    with world.operator(module="tests.e2e.operator.dying") as operator:
        until(lambda: operator.process.poll() is not None or _is_settled(world, "v2", 5), every=0.2)
        if operator.process.poll() is None:
            # A last write may still be under way.
            until(lambda: operator.process.poll() is not None or _has_been_quiet(operator), every=0.5)
        return operator.process.poll() is not None


def _has_been_quiet(operator: Any) -> bool:
    written = operator.metric("modelport_operator_writes_total")
    passes = operator.metric("modelport_operator_reconcile_seconds_count")
    return bool(passes and operator.metric("modelport_operator_writes_total") == written)
