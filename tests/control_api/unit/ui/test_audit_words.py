"""Whatever the audit log records has words on the pages that show it."""

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest
from modelport_control_api.accounts.tables import AuditEntry
from modelport_control_api.db.base import utc_now
from modelport_control_api.ui.audit_words import (
    ACTION_WORDS,
    DetailLine,
    action_words,
    detail_lines,
    detail_text,
)
from modelport_control_api.ui.models.dashboard import recent

from tests.parts import ROOT

ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
RECORDERS = {"record", "_audit", "audit_session", "finish_change"}


def recorded_actions() -> Iterator[str]:
    for path in (ROOT / "control-api" / "modelport_control_api").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in RECORDERS:
                texts = (each.value for each in call.args if isinstance(each, ast.Constant))
                yield from (text for text in texts if isinstance(text, str) and ACTION.fullmatch(text))


def test_every_action_that_is_recorded_has_words_and_no_other() -> None:
    assert set(recorded_actions()) == set(ACTION_WORDS)


def test_an_action_of_another_release_is_no_raw_name() -> None:
    assert action_words("model.hand_over") == "Model: hand over"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"v2": 10, "v1": 90}, "v1 (90 %) and v2 (10 %)"),
        ({"v1": 100}, "v1"),
        ({"cache_ttl_seconds": 60, "name": None}, "cache ttl seconds: 60, name: none"),
        (["predict", "models:read"], "predict, models:read"),
        ([], "none"),
        (True, "yes"),
        (None, "none"),
        ("", "none"),
        (0, "0"),
        ("iris", "iris"),
    ],
)
def test_a_detail_in_words(value: object, text: str) -> None:
    assert detail_text(value) == text


@pytest.mark.parametrize(
    ("detail", "lines"),
    [
        (
            {"changes": {"cache_ttl_seconds": None}, "before": {"cache_ttl_seconds": 60}},
            [DetailLine("cache ttl seconds", "none", was="60")],
        ),
        (
            {"traffic": {"v1": 90, "v2": 10}, "before": {"traffic": {"v1": 100}}},
            [DetailLine("traffic", "v1 (90 %) and v2 (10 %)", was="v1")],
        ),
        # What was before is none, which is not the same as unknown.
        (
            {"max_models": 5, "before": {"max_models": None}},
            [DetailLine("max models", "5", was="none")],
        ),
        (
            {"version": "v2", "rows": 60, "before": {"rows": 30}},
            [
                DetailLine("version", "v2"),
                DetailLine("rows", "60", was="30"),
            ],
        ),
        ({"version": "v2", "traffic": 0}, [DetailLine("version", "v2"), DetailLine("traffic", "0 %")]),
        # Of a release that did not note it.
        ({"changes": {"access": "public"}}, [DetailLine("access", "public")]),
        ({"changes": "all", "before": "nothing"}, []),
        ({}, []),
    ],
)
def test_a_change_shows_what_was_and_what_is(detail: dict[str, Any], lines: list[DetailLine]) -> None:
    assert detail_lines(detail) == lines


def test_a_long_text_does_not_fill_the_page() -> None:
    (line,) = detail_lines({"changes": {"description": "x" * 10_000}, "before": {"description": ""}})
    assert (len(line.now), line.was) == (201, "none")


def entry(action: str, target: str, **detail: object) -> AuditEntry:
    return AuditEntry(action=action, target=target, detail=detail, at=utc_now())


@pytest.mark.parametrize(
    ("made", "said", "link"),
    [
        (
            entry("traffic.set", "model:iris-1", traffic={"v1": 90, "v2": 10}),
            "Traffic moved Iris: v1 (90 %) and v2 (10 %)",
            "/ui/models/iris-1",
        ),
        # Of a model that is gone, or not one's own: its id, and no link that leads nowhere.
        (entry("traffic.set", "model:gone-2", traffic={"v1": 100}), "Traffic moved gone-2: v1", None),
        (entry("model.delete", "model:gone-2", name="Wine"), "Model deleted Wine", None),
        (
            entry("version.create", "model:iris-1", version="v2"),
            "New version uploaded Iris v2",
            "/ui/models/iris-1",
        ),
        # The share that it was uploaded with.
        (
            entry("version.create", "model:iris-1", version="v2", traffic=10),
            "New version uploaded Iris v2: 10 %",
            "/ui/models/iris-1",
        ),
        (
            entry("reference.put", "model:iris-1", version="v2", rows=300),
            "Training rows for drift uploaded Iris v2",
            "/ui/models/iris-1",
        ),
        (entry("api_key.rotate", "api_key:1", name="nightly"), "API key rotated nightly", "/ui/keys"),
        (entry("user.change", "user:1", changed=["full_name"]), "Account changed", None),
    ],
)
def test_recent_activity_is_a_sentence_about_a_thing(made: AuditEntry, said: str, link: str | None) -> None:
    (event,) = recent([made], [], {"iris-1": "Iris"}, limit=8)
    assert (f"{event.text} {event.about}".strip(), event.link) == (said, link)
