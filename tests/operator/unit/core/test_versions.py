"""How one version is judged, from what its pods and its runtime say."""

from typing import Any

import pytest
from modelport_crds.mlmodel import MLModel, SampleAnswer, VersionStatus
from modelport_crds.reasons import Reason
from modelport_operator.core.desired import desired_deployment
from modelport_operator.core.observed.observe import observe
from modelport_operator.core.observed.probe_results import ProbeResult, RuntimeStatus, SampleRefused
from modelport_operator.core.specs.deployment import template_digest
from modelport_operator.core.versions import decide_versions
from msgspec.structs import replace

from tests.operator.unit.harness import PREDICTION, READY, settings
from tests.support.builders import PodBuilder, a_model, a_pod, a_version

SETTINGS = settings()
MODEL = a_model().build()
TEMPLATE = template_digest(desired_deployment(MODEL, a_version("v1"), SETTINGS))
NEW = VersionStatus(name="v1", template=TEMPLATE)
ANSWERED = replace(NEW, answered=True, ready=True, reason="Serving", replicas=1, sample_answer=PREDICTION)
FAILED = replace(NEW, failed=True, reason="LoadFailed", message="no")
FAILED_WORD = RuntimeStatus(state="failed", reason=Reason.LOAD_FAILED, message="ValueError: no")


def _judge(
    known: VersionStatus | None, *pods: PodBuilder, result: ProbeResult | None = None, **objects: Any
) -> VersionStatus:
    builder = a_model().known(known) if known is not None else a_model()
    return _decide(builder.build(), *pods, result=result, **objects)


def _decide(
    model: MLModel, *pods: PodBuilder, result: ProbeResult | None = None, objects: tuple[Any, ...] = ()
) -> VersionStatus:
    seen = observe(model, objects, [pod.build() for pod in pods], [], SETTINGS)
    results = {"v1": result} if result is not None else {}
    (decided,) = decide_versions(model, type(seen)(seen.objects, seen.pods, seen.refusals, results), SETTINGS)
    return decided


def _pod() -> PodBuilder:
    return a_pod().of_template(TEMPLATE)


@pytest.mark.parametrize(
    ("pod", "doing"),
    [
        (_pod().fetching("waiting").waiting(""), "starting its process"),
        (_pod().fetching("running").waiting(""), "fetching the model file"),
        (_pod().waiting("PodInitializing"), "starting its runtime"),
        (_pod(), "loading the model"),
        (_pod().started(), "giving its first answers"),
    ],
    ids=["pod", "fetch", "runtime", "load", "sample"],
)
def test_a_version_on_its_way_says_how_far_it_is(pod: PodBuilder, doing: str) -> None:
    decided = _judge(None, pod)
    assert (decided.reason, decided.ready, decided.failed) == ("Progressing", False, False)
    assert decided.message == f"v1 is {doing}."


def test_a_ready_pod_alone_makes_no_version_ready() -> None:
    assert _judge(NEW, _pod().ready()).ready is False


def test_a_ready_runtime_that_gave_no_response_makes_no_version_ready() -> None:
    decided = _judge(NEW, _pod().ready(), result=ProbeResult(status=READY, sample=None))
    assert (decided.ready, decided.answered) == (False, False)
    assert decided.signature == {"task": "classifier"}


def test_a_response_and_a_ready_pod_make_it_ready() -> None:
    decided = _judge(NEW, _pod().ready(), result=ProbeResult(READY, PREDICTION))
    assert (decided.ready, decided.answered, decided.replicas) == (True, True, 1)
    assert decided.sample_answer == PREDICTION
    assert decided.reason == "Serving"


def test_differences_of_libraries_are_stated_though_it_serves() -> None:
    status = RuntimeStatus(state="ready", differences=("Saved with scikit-learn 1.7.2, here 1.9.1.",))
    decided = _judge(NEW, _pod().ready(), result=ProbeResult(status, PREDICTION))
    assert decided.ready
    assert decided.message == "Saved with scikit-learn 1.7.2, here 1.9.1."


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (ProbeResult(FAILED_WORD), "LoadFailed"),
        (ProbeResult(READY, SampleRefused(Reason.SAMPLE_INVALID, "no")), "SampleInvalid"),
        (ProbeResult(READY, SampleRefused(Reason.SAMPLE_FAILED, "no")), "SampleFailed"),
    ],
    ids=["load", "invalid", "raised"],
)
def test_what_the_runtime_says_is_final(result: ProbeResult, reason: str) -> None:
    decided = _judge(NEW, _pod().started(), result=result)
    assert (decided.failed, decided.reason, decided.ready) == (True, reason, False)


def test_the_runtimes_word_wins_over_an_earlier_exit() -> None:
    decided = _judge(NEW, _pod().restarted_after(exitCode=139).started(), result=ProbeResult(FAILED_WORD))
    assert decided.reason == "LoadFailed"


FINAL = {
    "another digest": (_pod().fetch_ended(1, '{"reason": "DigestMismatch"}'), "DigestMismatch"),
    "a load that hangs": (_pod().ended(exitCode=142), "LoadTimeout"),
    "a second crash": (_pod().ended(exitCode=3, restarts=1), "RuntimeCrashed"),
    "a second crash, before its restart": (
        _pod().waiting("CrashLoopBackOff", restartCount=1, lastState={"terminated": {"exitCode": 3}}),
        "RuntimeCrashed",
    ),
    "memory, twice": (_pod().ended(exitCode=137, reason="OOMKilled", restarts=1), "OutOfMemory"),
}


@pytest.mark.parametrize(("pod", "reason"), FINAL.values(), ids=FINAL.keys())
def test_a_version_that_never_predicted_fails_for_good_by(pod: PodBuilder, reason: str) -> None:
    decided = _judge(NEW, pod)
    assert (decided.failed, decided.reason) == (True, reason)
    again = _judge(ANSWERED, pod)
    assert (again.failed, again.answered, again.reason) == (False, True, reason)


NOT_FINAL = {
    "a first crash": (_pod().ended(exitCode=3), "RuntimeCrashed"),
    "running again after a first crash": (_pod().restarted_after(exitCode=3), "RuntimeCrashed"),
    "no network": (_pod().fetch_ended(2), "Progressing"),
    "no image": (_pod().waiting("ErrImagePull"), "ImagePullFailed"),
    "no room": (_pod().unschedulable("full"), "Unschedulable"),
}


@pytest.mark.parametrize(("pod", "reason"), NOT_FINAL.values(), ids=NOT_FINAL.keys())
def test_a_version_may_get_over(pod: PodBuilder, reason: str) -> None:
    decided = _judge(NEW, pod)
    assert (decided.failed, decided.ready, decided.reason) == (False, False, reason)


def test_a_failed_version_stays_so_whatever_its_last_pod_does() -> None:
    assert _judge(FAILED, _pod().ready()) == FAILED


def test_a_changed_template_forgets_the_failure() -> None:
    decided = _judge(replace(FAILED, template="before", last_log="Traceback"), _pod())
    assert (decided.failed, decided.template, decided.reason) == (False, TEMPLATE, "Progressing")
    assert decided.last_log == ""


def test_the_log_of_a_failure_stays_as_long_as_the_failure() -> None:
    failed = replace(FAILED, last_log="Traceback")
    assert _judge(failed, _pod().ready()) == failed
    # As somebody may have written the status by hand.
    for other in (NEW, ANSWERED):
        assert _judge(replace(other, last_log="Traceback"), _pod().ready()).last_log == ""


def test_a_crash_of_the_template_before_does_not_count_against_this_one() -> None:
    decided = _judge(NEW, a_pod().of_template("before").ended(exitCode=142))
    assert (decided.failed, decided.reason) == (False, "Progressing")


def test_a_version_that_served_goes_on_from_its_old_pods_while_new_ones_start() -> None:
    served = replace(ANSWERED, template="before")
    decided = _judge(served, a_pod().called("old").of_template("before").ready(), _pod())
    assert (decided.ready, decided.template) == (True, "before")


def test_new_pods_that_fail_are_reported_though_the_old_ones_serve() -> None:
    served = replace(ANSWERED, template="before")
    old = a_pod().called("old").of_template("before").ready()
    decided = _judge(served, old, _pod().started(), result=ProbeResult(FAILED_WORD))
    assert (decided.ready, decided.failed, decided.reason) == (True, False, "LoadFailed")


def test_a_pod_that_is_going_serves_no_more() -> None:
    assert _judge(ANSWERED, _pod().ready().terminating()).ready is False


def test_one_ready_replica_of_two_is_enough() -> None:
    decided = _judge(ANSWERED, _pod().ready(), _pod().called("other").ended(exitCode=139))
    assert (decided.ready, decided.replicas, decided.reason) == (True, 1, "Serving")


def test_an_exceeded_quota_is_read_from_the_deployment_when_there_is_no_pod() -> None:
    deployment = desired_deployment(MODEL, a_version("v1"), SETTINGS)
    condition = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    decided = _judge(NEW, objects=({**deployment, "status": {"conditions": [condition]}},))
    assert (decided.reason, decided.failed) == ("QuotaExceeded", False)


def test_every_message_says_what_to_do() -> None:
    decided = _judge(NEW, _pod().ended(exitCode=3, restarts=1))
    assert decided.message.startswith("The process ended with exit code 3. Read `modelport logs`")


def test_a_sample_answer_is_kept_while_nothing_is_probed() -> None:
    result = SampleAnswer(body="{}", sha256="00")
    assert _judge(replace(ANSWERED, sample_answer=result), _pod().ready()).sample_answer == result
