"""Counting writes in the API server's audit log."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.cluster.audit import Write, policy, writes

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OPERATOR = "system:serviceaccount:modelport:operator"


def event(verb: str, resource: str, subresource: str = "", **changes: Any) -> Mapping[str, Any]:
    target = {"resource": resource, "subresource": subresource}
    usual = {
        "verb": verb,
        "objectRef": target,
        "user": {"username": OPERATOR},
        "requestReceivedTimestamp": "2026-01-01T12:00:00.000001Z",
        "responseStatus": {"code": 200},
    }
    return {**usual, **changes}


def log_of(folder: Path, *events: Mapping[str, Any]) -> Path:
    path = folder / "audit.log"
    path.write_text("".join(json.dumps(each) + "\n" for each in events))
    return path


def test_writes_are_counted_by_verb_resource_and_user(tmp_path: Path) -> None:
    patch = event("patch", "mlmodels", "status")
    other = event("create", "pods", user={"username": "system:kube-scheduler"})
    counted = writes(log_of(tmp_path, patch, patch, other), since=NOON)
    assert counted == {
        Write("patch", "mlmodels/status", OPERATOR): 2,
        Write("create", "pods", "system:kube-scheduler"): 1,
    }


def test_what_came_earlier_or_was_refused_is_not_counted(tmp_path: Path) -> None:
    earlier = event("patch", "pods", requestReceivedTimestamp="2026-01-01T11:59:59.999999Z")
    refused = event("patch", "pods", responseStatus={"code": 409})
    assert not writes(log_of(tmp_path, earlier, refused), since=NOON)


def test_a_line_still_being_written_is_left_for_the_next_count(tmp_path: Path) -> None:
    log = log_of(tmp_path, event("create", "pods"))
    with log.open("a") as file:
        file.write('{"verb": "cre')
    assert writes(log, since=NOON).total() == 1


def test_the_policy_leaves_out_reads_before_it_takes_the_rest() -> None:
    rules = policy()["rules"]
    assert {"level": "None", "verbs": ["get", "list", "watch"]} in rules[:-1]
    assert rules[-1] == {"level": "Metadata"}
