"""A version that lacks what callers of the one that serves depend on gets no traffic, and says why."""

from typing import Any

import pytest
from modelport_crds.mlmodel import SampleAnswer
from modelport_crds.reasons import Reason
from modelport_operator.core.observed.probe_results import RuntimeStatus, SampleRefused
from msgspec.structs import replace

from tests.operator.unit.harness import PREDICTION, Harness
from tests.support.builders import ModelBuilder, a_model, a_pod, a_version

OLD, NEW = "10.0.0.1", "10.0.0.2"
OLD_ROW, NEW_ROW = {"input": [1.0, 2.0]}, {"input": [3.0]}
OLD_BODY = b'{"input":[1.0,2.0]}'
BOTH = a_model().versions(a_version("v1", sample=OLD_ROW), a_version("v2", sample=NEW_ROW))
ALL = BOTH.traffic(v2=100).compatible(v2="v1")


def takes(*names: str, **facts: Any) -> RuntimeStatus:
    columns = [{"name": name, "kind": "number", "optional": False} for name in names]
    return RuntimeStatus(state="ready", signature={"task": "classifier", "columns": columns, **facts})


async def _serving(harness: Harness, status: RuntimeStatus) -> None:
    """v1, which says `status`, has all requests."""
    harness.runtimes.statuses[OLD] = status
    await harness.submit(BOTH.versions(BOTH.spec.versions[0]))
    await harness.settle()
    await harness.play("v1", address=OLD)
    await harness.settle()
    assert harness.traffic() == {"v1": 100}


async def _roll_out(harness: Harness, status: RuntimeStatus, model: ModelBuilder = ALL) -> None:
    """v2, which says `status`, answers."""
    harness.runtimes.statuses[NEW] = status
    await harness.submit(model)
    await harness.settle()
    await harness.play("v2", address=NEW)
    await harness.settle()


@pytest.mark.parametrize("weights", [{"v2": 100}, {"v1": 90, "v2": 10}], ids=["all", "a canary"])
async def test_another_signature_holds_the_traffic_and_says_what_differs(weights: dict[str, int]) -> None:
    harness = Harness()
    await _serving(harness, takes("a", "b"))
    await _roll_out(harness, takes("a", "c"), BOTH.traffic(**weights).compatible(v2="v1"))
    assert harness.traffic() == {"v1": 100}
    version = harness.version("v2")
    assert (version["ready"], version["answered"], version["reason"]) == (True, True, "SignatureChanged")
    assert str(version["message"]).startswith(
        "It gets no requests, since callers of v1 depend on what differs: input b is gone; "
        "input c is new and required. Try it by its version's address"
    )
    assert version["compatibility"] == {
        "version": "v1",
        "changes": [{"what": "input_removed", "name": "b"}, {"what": "input_added", "name": "c"}],
    }
    states = [(harness.condition(each)["status"], harness.condition(each)["reason"]) for each in CONDITIONS]
    assert states == [("True", "Serving"), ("False", "SignatureChanged"), ("True", "SignatureChanged")]


CONDITIONS = ("Ready", "Progressing", "Degraded")


async def test_a_version_that_is_held_is_asked_once_and_left_alone() -> None:
    harness = Harness()
    await _serving(harness, takes("a"))
    await _roll_out(harness, takes("b"))
    harness.kube.calls.clear()
    asked = len(harness.runtimes.asked)
    assert await harness.reconcile() is None
    assert (harness.kube.calls, len(harness.runtimes.asked)) == ([], asked)


async def test_what_takes_more_gets_the_traffic_once_it_has_answered_both_samples() -> None:
    harness = Harness()
    await _serving(harness, takes("a"))
    harness.runtimes.asked.clear()
    await _roll_out(harness, takes("a", outputs=["prediction"]))
    assert harness.traffic() == {"v2": 100}
    assert harness.runtimes.asked == [b'{"input":[3.0]}', OLD_BODY]
    assert harness.version("v2")["reason"] == "Serving"
    assert harness.version("v2")["compatibility"] == {"version": "v1"}


async def test_a_refused_sample_of_the_old_version_holds_the_traffic_in_its_words() -> None:
    harness = Harness()
    await _serving(harness, takes("a"))
    harness.runtimes.answers[NEW, OLD_BODY] = SampleRefused(Reason.SAMPLE_INVALID, "input has 2 values")
    await _roll_out(harness, takes("a"))
    assert harness.traffic() == {"v1": 100}
    assert "it does not answer the sample of v1: input has 2 values." in str(harness.version("v2")["message"])
    assert "failed" not in harness.version("v2")


async def test_an_answer_of_another_type_holds_the_traffic() -> None:
    harness = Harness()
    await _serving(harness, takes("a"))
    harness.runtimes.answers[NEW, OLD_BODY] = SampleAnswer(body='{"prediction":[1,2]}', sha256="cd" * 32)
    await _roll_out(harness, takes("a"))
    assert harness.traffic() == {"v1": 100}
    assert "it answers the sample of v1 with a list, not a number" in str(harness.version("v2")["message"])


def replace_sample(status: RuntimeStatus, sample: dict[str, Any]) -> RuntimeStatus:
    return RuntimeStatus(state=status.state, signature=status.signature, sample=sample)


PLAIN = a_model().versions(a_version("v1", sample=None), a_version("v2", sample=NEW_ROW))
ALL_OF_PLAIN = PLAIN.traffic(v2=100).compatible(v2="v1")
MADE = replace_sample(takes("a"), {"input": {"a": 0.0}})
MADE_BODY = b'{"input":{"a":0.0}}'


async def _serving_without_a_sample() -> Harness:
    """v1, whose runtime made its sample, which v2 will refuse, has all requests."""
    harness = Harness()
    harness.runtimes.statuses[OLD] = MADE
    await harness.submit(a_model().versions(PLAIN.spec.versions[0]))
    await harness.settle()
    await harness.play("v1", address=OLD)
    await harness.settle()
    harness.runtimes.answers[NEW, MADE_BODY] = SampleRefused(Reason.SAMPLE_FAILED, "ValueError")
    return harness


async def test_without_a_sample_of_its_own_the_old_version_is_asked_for_one() -> None:
    harness = await _serving_without_a_sample()
    await _roll_out(harness, takes("a"), ALL_OF_PLAIN)
    assert harness.runtimes.asked[-1] == MADE_BODY
    assert harness.version("v2")["reason"] == "SignatureChanged"


@pytest.mark.parametrize("now", [None, RuntimeStatus(state="loading")], ids=["silent", "started again"])
async def test_an_old_version_that_does_not_say_its_sample_now_is_asked_again(
    now: RuntimeStatus | None,
) -> None:
    harness = await _serving_without_a_sample()
    harness.runtimes.statuses[OLD] = now
    await _roll_out(harness, takes("a"), ALL_OF_PLAIN)
    assert harness.traffic() == {"v1": 100}
    assert harness.version("v2")["reason"] == "Progressing"
    assert await harness.reconcile() == 1.0
    harness.runtimes.statuses[OLD] = MADE
    await harness.settle()
    assert (harness.traffic(), harness.version("v2")["reason"]) == ({"v1": 100}, "SignatureChanged")


async def test_an_old_version_that_is_down_holds_nothing_up() -> None:
    harness = await _serving_without_a_sample()
    harness.runtimes.statuses[OLD] = None
    await harness.play("v1", a_pod().started(), address=OLD)
    await _roll_out(harness, takes("a"), ALL_OF_PLAIN)
    assert harness.traffic() == {"v2": 100}


async def test_an_old_version_that_is_not_ready_is_asked_all_the_same() -> None:
    harness = await _serving_without_a_sample()
    await harness.play("v1", a_pod().started(), address=OLD)
    await _roll_out(harness, takes("a"), ALL_OF_PLAIN)
    assert (harness.traffic(), harness.version("v2")["reason"]) == ({"v1": 100}, "SignatureChanged")


@pytest.mark.parametrize("status", [takes("a"), RuntimeStatus(state="ready")], ids=["known", "unknown"])
async def test_unknown_signatures_hold_nothing(status: RuntimeStatus) -> None:
    harness = Harness()
    await _serving(harness, status)
    await _roll_out(harness, RuntimeStatus(state="ready"))
    assert harness.traffic() == {"v2": 100}


async def test_force_is_a_share_without_a_version_to_be_compatible_with() -> None:
    harness = Harness()
    await _serving(harness, takes("a"))
    await _roll_out(harness, takes("b"))
    assert harness.traffic() == {"v1": 100}
    await harness.submit(BOTH.traffic(v2=100))
    await harness.settle()
    assert harness.traffic() == {"v2": 100}
    assert (harness.version("v2")["reason"], "compatibility" in harness.version("v2")) == ("Serving", False)


async def test_a_version_at_zero_percent_is_compared_only_when_it_is_to_get_requests() -> None:
    harness = Harness()
    await _serving(harness, takes("a"))
    await _roll_out(harness, takes("b"), BOTH.traffic(v1=100))
    assert harness.version("v2")["reason"] == "Serving"
    harness.runtimes.asked.clear()
    await harness.submit(ALL)
    await harness.settle()
    assert harness.runtimes.asked == [OLD_BODY]
    assert (harness.traffic(), harness.version("v2")["reason"]) == ({"v1": 100}, "SignatureChanged")


async def test_taking_the_share_back_leaves_nothing_to_complain_about() -> None:
    harness = Harness()
    await _serving(harness, takes("a"))
    await _roll_out(harness, takes("b"))
    await harness.submit(BOTH.traffic(v1=100))
    await harness.settle()
    assert harness.traffic() == {"v1": 100}
    assert harness.condition("Degraded")["status"] == "False"
    assert harness.version("v2")["reason"] == "Serving"


async def test_a_sample_that_cannot_be_answered_now_is_asked_again_before_anything_moves() -> None:
    harness = Harness()
    await _serving(harness, takes("a"))
    harness.runtimes.answers[NEW, OLD_BODY] = None
    await _roll_out(harness, takes("a"))
    assert harness.traffic() == {"v1": 100}
    assert harness.version("v2")["reason"] == "Progressing"
    assert await harness.reconcile() == 1.0
    harness.runtimes.answers[NEW, OLD_BODY] = PREDICTION
    await harness.settle()
    assert harness.traffic() == {"v2": 100}


async def test_a_version_that_serves_keeps_its_requests_whatever_it_must_be_compatible_with() -> None:
    harness = Harness()
    await _serving(harness, takes("a"))
    await _roll_out(harness, takes("b"), BOTH.traffic(v1=90, v2=10))
    assert harness.traffic() == {"v1": 90, "v2": 10}
    await harness.submit(ALL)
    await harness.settle()
    assert harness.traffic() == {"v2": 100}


async def test_where_nothing_serves_nobody_depends_on_anything() -> None:
    harness = Harness()
    harness.runtimes.statuses |= {OLD: takes("a"), NEW: takes("b")}
    await harness.submit(ALL)
    await harness.settle()
    await harness.play("v1", address=OLD)
    await harness.play("v2", address=NEW)
    await harness.settle()
    assert harness.traffic() == {"v2": 100}


async def test_a_version_that_is_not_there_any_more_holds_nothing() -> None:
    harness = Harness()
    await _serving(harness, takes("a"))
    await _roll_out(harness, takes("b"), BOTH.traffic(v2=100).compatible(v2="v9"))
    assert harness.traffic() == {"v2": 100}


async def test_a_version_that_left_the_spec_serves_on_while_the_new_one_is_held() -> None:
    harness = Harness()
    await _serving(harness, takes("a"))
    await _roll_out(harness, takes("b"), ALL.versions(BOTH.spec.versions[1]))
    assert harness.traffic() == {"v1": 100}
    assert harness.version("v2")["reason"] == "SignatureChanged"
    await harness.submit(BOTH.versions(BOTH.spec.versions[1]).traffic(v2=100))
    await harness.settle()
    assert harness.traffic() == {"v2": 100}


async def test_another_try_with_another_template_is_compared_again() -> None:
    harness = Harness()
    await _serving(harness, takes("a"))
    await _roll_out(harness, takes("b"))
    assert harness.version("v2")["reason"] == "SignatureChanged"
    harness.runtimes.statuses[NEW] = takes("a")
    versions = (BOTH.spec.versions[0], replace(BOTH.spec.versions[1], sample={"input": [4.0]}))
    await harness.submit(ALL.versions(*versions))
    await harness.settle()
    await harness.play("v2", address=NEW)
    await harness.settle()
    assert harness.traffic() == {"v2": 100}


async def test_every_interruption_between_two_writes_ends_the_same() -> None:
    harness = Harness()
    await _serving(harness, takes("a"))
    await _roll_out(harness, takes("b"))
    held = dict(harness.kube.status())
    for _ in range(3):
        # A new process, which knows nothing but the cluster.
        await Harness(harness.kube, harness.runtimes).reconcile()
    assert harness.kube.status() == held
