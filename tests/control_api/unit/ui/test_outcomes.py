"""Outcomes of predictions in words, and which of them the history offers to filter by."""

import re

import pytest
from modelport_control_api.history.schemas import OUTCOMES
from modelport_control_api.ui.models.history import _outcomes
from modelport_control_api.ui.outcomes import OUTCOME_WORDS, REASON_WORDS, outcome_words
from modelport_crds.reasons import Reason

from tests.parts import ROOT

# Where what a request ends with is decided.
RUNTIME = ROOT / "model-runtime" / "modelport_runtime"
NAMED_BY = (
    (ROOT / "gateway" / "modelport_gateway", re.compile(r"Reason\.([A-Z_]+)")),
    (RUNTIME / "server", re.compile(r'^ +"([A-Z]\w+[a-z][A-Z]\w+)",$', re.MULTILINE)),
    (RUNTIME / "core", re.compile(r'reason="(\w+)"')),
)


def test_the_filter_offers_what_a_prediction_can_end_with_and_nothing_else() -> None:
    named = set()
    for folder, pattern in NAMED_BY:
        found = {name for path in folder.rglob("*.py") for name in pattern.findall(path.read_text())}
        assert found
        named |= {str(Reason[name]) if name.isupper() else name for name in found}
    assert named & set(Reason) == set(REASON_WORDS)
    assert list(OUTCOME_WORDS) == ["ok", "error", *REASON_WORDS]
    assert set(OUTCOME_WORDS) <= set(OUTCOMES)


def test_an_address_may_name_any_outcome_that_the_api_takes() -> None:
    assert "OutOfMemory" not in _outcomes("")
    assert "OutOfMemory" in _outcomes("OutOfMemory")
    assert "<script>" not in _outcomes("<script>")
    assert _outcomes("ModelError")["ModelError"] == REASON_WORDS["ModelError"]


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        (200, "", "Predicted"),
        (422, "", "Input that does not fit the model"),
        (429, None, "Over the rate limit"),
        (504, "ModelTimeout", "The model took too long"),
        (503, "OutOfMemory", "The model needs more memory than its limit (2 GiB unless set)."),
        (418, "", "I'm a Teapot"),
        (599, "", "Status 599"),
        # A reason of another release.
        (503, "SomethingNew", "SomethingNew"),
    ],
)
def test_an_outcome_in_words(status: int, reason: str | None, words: str) -> None:
    assert outcome_words(status, reason) == words
