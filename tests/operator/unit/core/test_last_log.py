"""What is kept of a failed version's output, and which of its pods is read for it."""

import json

import pytest
from modelport_crds.mlmodel import MLModelStatus, VersionStatus
from modelport_kube.kube import Object
from modelport_operator.core.observed.last_log import logs_to_read, with_logs
from modelport_operator.core.observed.observe import observe
from modelport_operator.core.observed.probe_results import plain_tail
from msgspec.structs import replace

from tests.operator.unit.harness import settings
from tests.support.builders import a_model, a_pod

FAILED = VersionStatus(name="v1", failed=True, template="now", reason="LoadFailed")


def _to_read(version: VersionStatus, *pods: Object, stopping: str = "v1") -> dict[str, tuple[str, ...]]:
    seen = observe(a_model().build(), [], pods, [], settings())
    return logs_to_read(MLModelStatus(versions=(version,)), seen, {stopping})


def _kept(*logs: str) -> str:
    (version,) = with_logs(MLModelStatus(versions=(FAILED,)), {"v1": logs}).versions
    return version.last_log


@pytest.mark.parametrize(
    ("version", "stopping"),
    [(FAILED, "v2"), (replace(FAILED, failed=False), "v1"), (replace(FAILED, last_log="before"), "v1")],
    ids=["stopped already", "not failed", "kept already"],
)
def test_pods_are_read_once_and_only_of_what_failed_and_is_to_be_stopped(
    version: VersionStatus, stopping: str
) -> None:
    pod = a_pod().of_template("now").build()
    assert _to_read(FAILED, pod) == {"v1": ("iris-v1-0",)}
    assert _to_read(version, pod, stopping=stopping) == {}


def test_the_pod_that_ended_badly_is_read_first_and_those_of_another_template_never() -> None:
    pod = a_pod().of_template("now")
    ended, started = pod.called("d").ended(exitCode=3).build(), pod.called("c").started().build()
    loading = [pod.called(name).build() for name in ("b", "a")]
    other = a_pod().of_template("before").called("e").build()
    assert _to_read(FAILED, *loading, other, started, ended) == {"v1": ("d", "c", "a")}
    assert _to_read(FAILED, other) == {}


def test_the_first_pod_that_says_something_is_kept() -> None:
    assert _kept("", "  \n", "ValueError: no\n", "another") == "ValueError: no"
    assert _kept("") == ""


def test_only_versions_that_were_read_change() -> None:
    status = MLModelStatus(versions=(replace(FAILED, last_log="before"),))
    assert with_logs(status, {}) == status


def test_sixty_lines_are_kept_and_nothing_that_steers_a_terminal() -> None:
    kept = _kept("\n".join(f"\x1b]0;{number}\x07" for number in range(100))).split("\n")
    assert (len(kept), kept[0], kept[-1]) == (60, "]0;40", "]0;99")


def test_whole_lines_are_kept_within_four_kibibytes_of_any_script() -> None:
    kept = _kept("\n".join(["ä" * 900] * 10))
    assert kept.split("\n") == ["ä" * 900] * 2
    longest = _kept("\U0001f600" * 5000)
    assert longest.endswith("…")
    assert len(longest.encode()) <= 4096


def test_a_trace_in_the_runtimes_json_is_kept_from_its_end() -> None:
    trace = "Traceback:\n" + "  a frame\n" * 2000 + "ValueError: \x1b[0mno"
    event = {"time": "t", "level": "warning", "event": "load_failed"}
    kept = _kept(f'{json.dumps({**event, "trace": trace})}\n{{"event": "load_ended"}}').split("\n")
    assert kept[-2:] == ["  ValueError: [0mno", '{"event": "load_ended"}']
    assert len(kept) == 60
    short = _kept(json.dumps({**event, "trace": "KeyError: 1"}))
    assert short.split("\n") == [json.dumps(event), "  KeyError: 1"]


@pytest.mark.parametrize(
    "line", ['{"trace": 5}', "[1]", "null", "[" * 900, "{" * 5, '{"event": "x"}', '"trace"'], ids=range(7)
)
def test_what_is_no_event_with_a_trace_is_kept_as_it_is(line: str) -> None:
    assert _kept(line) == line


@pytest.mark.parametrize("depth", range(900, 1000, 7))
def test_json_that_is_nested_to_the_limit_breaks_nothing(depth: int) -> None:
    _kept(f'{{"a": {"[" * depth}{"]" * depth}, "trace": "x"}}')


def test_a_tail_keeps_blank_lines_inside_and_none_around() -> None:
    assert plain_tail("\n\na\r\n\nb\tc  \n\n", lines=9, limit_bytes=100) == "a\n\nb c"
    assert plain_tail("abc\ndef", lines=9, limit_bytes=5) == "def"
    assert plain_tail("", lines=9, limit_bytes=5) == ""
