"""`modelport feedback`, and `client.feedback` behind it."""

import json
from pathlib import Path
from typing import Any

import pytest
from modelport import Modelport, ModelportError
from modelport.calls.evaluation import feedback
from modelport.evaluation.feedback import FeedbackError, FeedbackReport

from tests.client.unit.conftest import Cli
from tests.client.unit.platform import Answer, Platform, problem

TELL = "POST /api/v1/models/iris/feedback"


def report(accepted: int = 1, *errors: tuple[int, str]) -> dict[str, Any]:
    wrong = [{"item": item, "message": message} for item, message in errors]
    return {"accepted": accepted, "rejected": len(errors), "errors": wrong}


def test_items_are_told_and_forgotten(client: Modelport, platform: Platform) -> None:
    platform.on(TELL, Answer(200, report(1, (2, "label or reward is needed"))))
    platform.on("DELETE /api/v1/models/iris/feedback", Answer(204))
    items = [{"request_id": "a", "label": "setosa"}, {"request_id": "b"}]
    found = client.feedback.tell("iris", items)
    assert found == FeedbackReport(1, 1, (FeedbackError(2, "label or reward is needed"),))
    assert platform.calls(TELL)[0].json == {"items": items}
    client.feedback.forget("iris")


def test_a_file_goes_in_pieces_of_whole_lines_under_its_header(
    client: Modelport, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback, "_PIECE_BYTES", 6)
    file = tmp_path / "labels.CSV"
    file.write_text("request_id,label\na,1\nb,2\nc,\n")
    platform.on(TELL, Answer(200, report(2)), Answer(200, report(0, (2, "no label"))))
    seen: list[tuple[int, int]] = []
    found = client.feedback.send("iris", file, on_progress=lambda *at: seen.append(at))
    assert found == FeedbackReport(2, 1, (FeedbackError(4, "no label"),))
    bodies = [asked.body for asked in platform.calls(TELL)]
    assert bodies == [b"request_id,label\na,1\nb,2\n", b"request_id,label\nc,\n"]
    assert {asked.headers["content-type"] for asked in platform.calls(TELL)} == {"text/csv"}
    assert seen == [(25, 28), (28, 28)]


def test_a_file_of_another_kind_is_refused_before_anything_is_sent(client: Modelport, tmp_path: Path) -> None:
    file = tmp_path / "labels.xlsx"
    file.write_bytes(b"PK")
    with pytest.raises(ModelportError, match=r"labels.xlsx: send a file that ends in .csv, .jsonl, .ndjson"):
        client.feedback.send("iris", file)


def test_the_command_says_what_counts_and_what_does_not(cli: Cli, platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text('{"request_id": "a", "label": 1}\n{"request_id": "b"}\n')
    platform.on(TELL, Answer(200, report(1, (2, "label or reward is needed"))), Answer(200, report(2)))
    shown = cli("feedback", "iris", str(file))
    assert (shown.code, shown.out) == (1, "1 item accepted, 1 rejected.\n")
    assert "line 2: label or reward is needed" in shown.err
    shown = cli("feedback", "iris", str(file), "--json")
    assert (shown.code, json.loads(shown.out)) == (0, report(2))
    assert cli("feedback", "iris", str(tmp_path / "none.csv")).code == 2


def test_a_file_without_a_good_line_says_why(cli: Cli, platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("id,label\n")
    platform.on(TELL, problem(422, "The first line must name the columns."))
    file.write_text("id,label\na,1\n")
    shown = cli("feedback", "iris", str(file))
    assert shown.code != 0
    assert "The first line must name the columns." in shown.err
