"""What the upload page says of a version on its way, and of one that failed."""

import pytest
from modelport_control_api.ui.models.steps import build_steps, trouble_of
from modelport_crds import stages
from modelport_crds.reasons import EXPLANATIONS, Reason

from tests.control_api.unit.ui.answers import version

CASES = {
    stages.WAITING: "done active waiting waiting",
    stages.PREPARING: "done active waiting waiting",
    stages.FETCHING: "done active waiting waiting",
    stages.LOADING: "done done active waiting",
    stages.ANSWERING: "done done done active",
}


@pytest.mark.parametrize("stage", CASES)
def test_a_version_on_its_way_shows_what_it_is_doing(stage: str) -> None:
    message = f"v1 is {stage}."
    steps = build_steps(version(status="pending", reason="Progressing", message=message), "1.2 kB")

    assert " ".join(step.state for step in steps) == CASES[stage]
    assert next(step.detail for step in steps if step.state == "active") == message


def test_a_version_that_serves_has_completed_every_step() -> None:
    assert {step.state for step in build_steps(version(), "1.2 kB")} == {"done"}


@pytest.mark.parametrize(
    ("reason", "states"),
    [
        (Reason.DIGEST_MISMATCH, "done failed waiting waiting"),
        (Reason.MISSING_MODULE, "done done failed waiting"),
        (Reason.SAMPLE_FAILED, "done done done failed"),
    ],
)
def test_a_failure_stands_at_the_step_that_failed(reason: Reason, states: str) -> None:
    steps = build_steps(version(status="failed", reason=reason, message="no"), "1.2 kB")

    assert " ".join(step.state for step in steps) == states


def test_the_cure_stands_apart_from_what_happened() -> None:
    cure = EXPLANATIONS[Reason.MISSING_MODULE].cure
    trouble = trouble_of("MissingModule", f"No module named 'mine'. {cure}")

    assert trouble is not None
    assert (trouble.happened, trouble.cure) == ("No module named 'mine'.", cure)
    assert trouble_of("Serving", "v1 answers.") is None
