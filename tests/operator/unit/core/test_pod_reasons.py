"""What pods say, as one of the closed set of reasons."""

import json
from typing import Any

import pytest
from modelport_crds.reasons import Reason
from modelport_operator.core.observed.pod_reasons import read_problem, read_refusal
from modelport_operator.core.problems import ONCE, TWICE, Problem

from tests.operator.unit.harness import settings
from tests.support.builders import PodBuilder, a_pod

CASES: dict[str, tuple[PodBuilder, Reason, int | None, str]] = {
    "fetch: another digest": (
        a_pod().fetch_ended(1, 'noise\n{"reason": "DigestMismatch", "message": "It is aa."}'),
        Reason.DIGEST_MISMATCH,
        ONCE,
        "It is aa.",
    ),
    "fetch: nothing there": (
        a_pod().fetch_ended(1, '{"reason": "ArtifactNotFound", "message": "No file."}'),
        Reason.ARTIFACT_NOT_FOUND,
        ONCE,
        "No file.",
    ),
    "fetch: too large": (a_pod().fetch_ended(1, '{"reason": "TooLarge"}'), Reason.TOO_LARGE, ONCE, ""),
    "fetch: a reason that is not its to give": (
        a_pod().fetch_ended(1, '{"reason": "Serving", "message": "all is well"}'),
        Reason.RUNTIME_CRASHED,
        TWICE,
        "exit code 1",
    ),
    "fetch: no JSON": (a_pod().fetch_ended(1, "Traceback"), Reason.RUNTIME_CRASHED, TWICE, "exit code 1"),
    "fetch: a list": (a_pod().fetch_ended(1, "[]"), Reason.RUNTIME_CRASHED, TWICE, "exit code 1"),
    "fetch: no network": (a_pod().fetch_ended(2, ""), Reason.PROGRESSING, None, "cannot be reached"),
    "the alarm as containers write it": (a_pod().ended(exitCode=142), Reason.LOAD_TIMEOUT, ONCE, "60 s"),
    "the alarm as a number": (a_pod().ended(exitCode=14), Reason.LOAD_TIMEOUT, ONCE, "60 s"),
    "the alarm as a signal": (a_pod().ended(exitCode=142, signal=14), Reason.LOAD_TIMEOUT, ONCE, "60 s"),
    "the alarm as Python has it": (a_pod().ended(exitCode=-14), Reason.LOAD_TIMEOUT, ONCE, "60 s"),
    "the kernel's verdict": (
        a_pod().ended(exitCode=137, reason="OOMKilled"),
        Reason.OUT_OF_MEMORY,
        TWICE,
        "2048Mi",
    ),
    "killed": (a_pod().ended(exitCode=137), Reason.OUT_OF_MEMORY, TWICE, "SIGKILL"),
    "killed by its startup probe": (
        a_pod().ended(exitCode=137, startedAt="2026-01-01T00:00:00Z", finishedAt="2026-01-01T00:02:30Z"),
        Reason.LOAD_TIMEOUT,
        ONCE,
        "60 s",
    ),
    "stopped by its startup probe": (
        a_pod().ended(exitCode=143, startedAt="2026-01-01T00:00:00Z", finishedAt="2026-01-01T00:02:00Z"),
        Reason.LOAD_TIMEOUT,
        ONCE,
        "60 s",
    ),
    "an exit code": (a_pod().ended(exitCode=3), Reason.RUNTIME_CRASHED, TWICE, "exit code 3"),
    "a quiet exit": (a_pod().ended(exitCode=0), Reason.RUNTIME_CRASHED, TWICE, "exit code 0"),
    "a crash": (a_pod().ended(exitCode=139), Reason.RUNTIME_CRASHED, TWICE, "SIGSEGV"),
    "a signal without a name": (
        a_pod().ended(exitCode=255, signal=99),
        Reason.RUNTIME_CRASHED,
        TWICE,
        "signal 99",
    ),
    "the run before this one": (
        a_pod().restarted_after(exitCode=139),
        Reason.RUNTIME_CRASHED,
        TWICE,
        "SIGSEGV",
    ),
    "no image": (
        a_pod().waiting("ImagePullBackOff", "Back-off pulling image"),
        Reason.IMAGE_PULL_FAILED,
        None,
        "Back-off pulling",
    ),
    "no image, first try": (
        a_pod().waiting("ErrImagePull", "denied"),
        Reason.IMAGE_PULL_FAILED,
        None,
        "denied",
    ),
    "no secret": (
        a_pod().waiting("CreateContainerConfigError", 'secret "s3" not found'),
        Reason.POD_INCOMPLETE,
        None,
        'secret "s3"',
    ),
    "no claim": (
        a_pod().unschedulable('persistentvolumeclaim "models" not found'),
        Reason.POD_INCOMPLETE,
        None,
        '"models"',
    ),
    "no room": (a_pod().unschedulable("0/3 nodes: memory"), Reason.UNSCHEDULABLE, None, "0/3 nodes"),
}


@pytest.mark.parametrize(("pod", "reason", "final_after", "text"), CASES.values(), ids=CASES.keys())
def test_a_pod_says(pod: PodBuilder, reason: Reason, final_after: int | None, text: str) -> None:
    problem = read_problem(pod.build(), settings())
    assert problem is not None
    assert (problem.reason, problem.final_after) == (reason, final_after)
    assert text in problem.message


@pytest.mark.parametrize(
    "pod",
    [
        a_pod(),
        a_pod().ready(),
        a_pod().waiting("PodInitializing"),
        a_pod().waiting("CreateContainerConfigError", "failed to sync secret cache: timed out"),
        a_pod().started(),
    ],
    ids=str,
)
def test_a_pod_on_its_way_has_no_problem(pod: PodBuilder) -> None:
    assert read_problem(pod.build(), settings()) is None


def test_an_image_that_cannot_be_pulled_may_be_an_environments() -> None:
    pod = a_pod().waiting("ErrImagePull", "denied").build()
    pod["spec"] = {"containers": [{"image": "modelport-runtime-sklearn-1.2"}]}
    problem = read_problem(pod, settings())
    assert problem == Problem(Reason.ENVIRONMENT_UNAVAILABLE, "denied")
    pod["spec"] = {"containers": [{"image": "modelport-runtime-catboost-1.2"}]}
    assert read_problem(pod, settings()) == problem
    pod["spec"] = {"containers": [{"image": "modelport-runtime-sklearn"}]}
    problem = read_problem(pod, settings())
    assert problem == Problem(Reason.IMAGE_PULL_FAILED, "denied")


def test_a_pod_without_a_status_has_no_problem() -> None:
    assert read_problem({"metadata": {"name": "new"}}, settings()) is None


def test_a_quota_shows_on_the_deployment() -> None:
    condition = {
        "type": "ReplicaFailure",
        "status": "True",
        "message": "pods is forbidden: exceeded quota: team",
    }
    problem = read_refusal({"status": {"conditions": [condition]}})
    assert problem is not None
    assert problem.reason is Reason.QUOTA_EXCEEDED
    assert "exceeded quota: team" in problem.message


@pytest.mark.parametrize(
    "condition",
    [
        {"type": "ReplicaFailure", "status": "False", "message": "exceeded quota"},
        {"type": "Available", "status": "True", "message": "exceeded quota"},
    ],
)
def test_other_conditions_are_no_refusal(condition: dict[str, str]) -> None:
    assert read_refusal({"status": {"conditions": [condition]}}) is None


def test_what_a_pod_says_cannot_steer_a_terminal_or_fill_a_status() -> None:
    message = json.dumps({"reason": "TooLarge", "message": "\x1b[2J\x07" + "x" * 5000})
    problem = read_problem(a_pod().fetch_ended(1, message).build(), settings())
    assert problem is not None
    assert problem.message.startswith("[2Jxxx")
    assert len(problem.message) == 1000


@pytest.mark.parametrize(
    ("ended", "reason", "says"),
    [
        ({"exitCode": 137}, Reason.RUNTIME_CRASHED, "or by someone"),
        (
            # Hours of serving are no slow load.
            {"exitCode": 137, "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T09:00:00Z"},
            Reason.RUNTIME_CRASHED,
            "(SIGKILL)",
        ),
        (
            {"exitCode": 143, "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T09:00:00Z"},
            Reason.RUNTIME_CRASHED,
            "SIGTERM",
        ),
        ({"exitCode": 137, "reason": "OOMKilled"}, Reason.OUT_OF_MEMORY, "2048Mi"),
        ({"exitCode": 142}, Reason.LOAD_TIMEOUT, "60 s"),
    ],
)
def test_what_ends_a_model_that_has_served_is_not_blamed_on_its_load(
    ended: dict[str, Any], reason: Reason, says: str
) -> None:
    problem = read_problem(a_pod().ended(**ended).build(), settings(), served=True)

    assert problem is not None
    assert problem.reason == reason
    assert says in problem.message


def test_a_fetch_that_is_tried_again_says_so_once() -> None:
    said = '{"message": "The disk has no room. It is tried again."}'

    problem = read_problem(a_pod().fetch_ended(2, said).build(), settings())

    assert problem is not None
    assert problem.message == "The disk has no room. It is tried again."


def test_a_rule_of_the_cluster_shows_on_the_deployment() -> None:
    message = 'pods "iris-v1-x" is forbidden: violates PodSecurity "restricted:latest": seccompProfile'
    condition = {"type": "ReplicaFailure", "status": "True", "message": message}

    problem = read_refusal({"status": {"conditions": [condition]}})

    assert problem is not None
    assert (problem.reason, problem.final_after) == (Reason.POD_REFUSED, None)
    assert "seccompProfile" in problem.message


def test_the_limit_that_was_too_small_is_named() -> None:
    pod = a_pod().ended(exitCode=137, reason="OOMKilled").build()
    pod["spec"] = {"containers": [{"resources": {"limits": {"memory": "1536Mi"}}}]}

    problem = read_problem(pod, settings())

    assert problem is not None
    assert problem.message == "The kernel ended the process for its memory. The limit is 1536Mi."


def test_a_limit_in_bytes_is_reported_in_mebibytes() -> None:
    pod = a_pod().ended(exitCode=137, reason="OOMKilled").build()
    pod["spec"] = {"containers": [{"resources": {"limits": {"memory": "2147483648"}}}]}

    problem = read_problem(pod, settings())

    assert problem is not None
    assert problem.message.endswith("The limit is 2048Mi.")


def test_a_crash_ends_with_the_last_line_of_its_log() -> None:
    ended = a_pod().ended(exitCode=1, message="Traceback\nImportError: libgomp.so.1\n\n")

    problem = read_problem(ended.build(), settings())

    assert problem is not None
    assert problem.message == "The process ended with exit code 1. Its last line: ImportError: libgomp.so.1"
