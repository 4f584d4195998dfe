"""On one machine there are no pods: what users read there is true without them."""

import re

import pytest
from modelport_control_api.batch.pods.lookup import _read
from modelport_crds import stages

from tests.control_api.unit.ui.test_files import TEMPLATES, UI

POD = re.compile(r"\bpods?\b", re.IGNORECASE)


def test_no_page_speaks_of_pods() -> None:
    texts = {path: re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL) for path in TEMPLATES}
    assert texts
    assert [path.relative_to(UI).as_posix() for path, text in texts.items() if POD.search(text)] == []


def test_no_stage_of_a_version_speaks_of_pods() -> None:
    words = [value for name, value in vars(stages).items() if name.isupper()]
    assert len(words) == 7
    assert not POD.search(" ".join(words))


@pytest.mark.parametrize("pods", [[], [{"metadata": {}, "spec": {}, "status": {}}]])
def test_what_a_job_waits_for_is_a_process(pods: list[dict[str, object]]) -> None:
    message = _read(pods).message
    assert message.startswith("Its process is ")
    assert not POD.search(message)
