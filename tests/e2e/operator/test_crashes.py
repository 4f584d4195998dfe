"""Killed between any two of its writes, the operator's next life ends where an undisturbed one does."""

import os
import time
from typing import Any

import pytest

from tests.e2e.operator.manifests import mlmodel
from tests.e2e.operator.operating import Harness, until

pytestmark = [pytest.mark.e2e, pytest.mark.nightly, pytest.mark.slow, pytest.mark.timeout(1800)]

_UNSTABLE = ("lastTransitionTime", "observedGeneration")


def _change(harness: Harness) -> None:
    """One version becomes another one, with two replicas: objects are made, changed and deleted."""
    model = mlmodel("iris", "v2", scaling={"minReplicas": 2, "maxReplicas": 2})
    harness.models.run("apply", "-f", "-", input=model)


def _begin(harness: Harness) -> None:
    with harness.operator():
        harness.models.run("apply", "-f", "-", input=mlmodel())
        until(lambda: _is_settled(harness, "v1", 4))


def _is_settled(harness: Harness, version: str, objects: int) -> bool:
    found = harness.children()
    named = {obj["metadata"]["name"] for obj in found}
    conditions = harness.status("iris").get("conditions", [])
    generation = harness.models.json("get", "mlm", "iris")["metadata"]["generation"]
    seen = bool(conditions) and conditions[0]["observedGeneration"] == generation
    return (
        named == {f"iris-{version}"}
        and len(found) == objects
        and seen
        and bool(harness.reason("iris", version))
    )


def _end(harness: Harness) -> dict[str, Any]:
    """What is there when an operator has had its way."""
    with harness.operator():
        until(lambda: _is_settled(harness, "v2", 5))
        until(lambda: _has_said_its_last(harness), every=2)
    state = {obj["kind"]: [obj["metadata"]["labels"], obj.get("spec")] for obj in harness.children()}
    return {**state, "status": _stable(harness.status("iris"))}


def _has_said_its_last(harness: Harness) -> bool:
    """Whether the pods' way to where they wait, which its message follows, is over."""
    before = harness.status("iris")
    time.sleep(2)
    return "waiting to be started" not in str(before) and harness.status("iris") == before


def _stable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stable(each) for key, each in value.items() if key not in _UNSTABLE}
    return [_stable(each) for each in value] if isinstance(value, list) else value


def _begin_again(harness: Harness) -> None:
    harness.delete_models()
    harness.platform.run("delete", "lease", "--all")


def test_killed_before_each_of_its_writes_it_ends_in_the_same_state(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    _begin(harness)
    _change(harness)
    undisturbed = _end(harness)
    killed = 0
    for writes in range(100):
        _begin_again(harness)
        _begin(harness)
        _change(harness)
        monkeypatch.setitem(os.environ, "DIE_AFTER_WRITES", str(writes))
        if not _dies(harness):
            break
        killed += 1
        # The killed one holds it for another 15 seconds.
        harness.platform.run("delete", "lease", "--all")
        assert _end(harness) == undisturbed, f"killed before write {writes}"
    # Five objects made, four deleted, at least one status and one Event.
    assert killed >= 11


def _dies(harness: Harness) -> bool:
    """Whether the kill came before all was done."""
    with harness.operator(module="tests.e2e.operator.dying") as operator:
        until(lambda: operator.process.poll() is not None or _is_settled(harness, "v2", 5), every=0.2)
        if operator.process.poll() is None:
            # A last write may still be in flight.
            until(lambda: operator.process.poll() is not None or _has_been_quiet(operator), every=0.5)
        return operator.process.poll() is not None


def _has_been_quiet(operator: Any) -> bool:
    written = operator.metric("modelport_operator_writes_total")
    passes = operator.metric("modelport_operator_reconcile_seconds_count")
    return bool(passes and operator.metric("modelport_operator_writes_total") == written)
