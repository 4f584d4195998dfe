"""Code of a user's own in real runtime processes: it is served, and what it does wrong harms nobody."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from modelport_formats.packed import unpacked

from tests.runtime.integration.hostile import payloads
from tests.runtime.integration.hostile.harness import Harness
from tests.support.own_code import fetched
from tests.support.runtime_fixtures import Runtime

StartRuntime = Callable[..., Runtime]
SAMPLE = {"MODELPORT_RUNTIME_SAMPLE": '{"input": {"a": 1}}'}


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    folder = tmp_path / "harness"
    folder.mkdir()
    harness = Harness(folder)
    yield harness
    harness.close()


@pytest.fixture
def start(tmp_path: Path, forked_runtime: StartRuntime) -> Callable[..., Runtime]:
    def start(code: str, files: dict[str, str] | None = None, **env: str) -> Runtime:
        path = fetched(tmp_path, {"model.py": code, **(files or {})})
        return forked_runtime(path, "python", **(SAMPLE | env)).wait_until_started()

    return start


def model(predict: str, *, load: str = "pass", top: str = "") -> str:
    return (
        f"{top}\nclass Model:\n    def load(self, folder):\n        {load}\n"
        f"    def predict(self, rows):\n        {predict}\n"
    )


def test_it_reads_its_files_prints_and_predicts(start: Callable[..., Runtime]) -> None:
    code = model(
        "print('asked for', len(rows)); return [row['a'] * self.factor for row in rows]",
        load="self.factor = float((folder / 'factor.txt').read_text()); self.name = words.NAME",
        top="import words",
    )

    started = start(code, {"factor.txt": "3", "words.py": "NAME = 'x'"})

    status = started.status
    assert (status["state"], status["sandbox"]["level"], status["framework"]) == ("ready", 2, "python"), (
        status
    )
    answer = started.post("/predict", {"inputs": [{"a": 2}, {"a": 5}]}).json
    assert answer["predictions"] == [6.0, 15.0]
    assert "asked for 2" in started.log
    assert "system_call_refused" not in started.log


@pytest.mark.parametrize(
    ("attempt", "where"),
    [
        ("reads a file", "at its import"),
        ("starts a process", "in load"),
        ("overwrites a file", "in load"),
        ("connects by TCP", "in predict"),
    ],
)
def test_what_the_sandbox_stops_is_said_and_harms_nobody(
    attempt: str, where: str, harness: Harness, start: Callable[..., Runtime]
) -> None:
    source = f"exec({payloads.REPORTED[attempt]!r}, vars(places))"
    code = {
        "at its import": model("return [1] * len(rows)", top=f"import places\n{source}"),
        "in load": model("return [1] * len(rows)", load=source, top="import places"),
        "in predict": model(f"{source}; return [1] * len(rows)", top="import places"),
    }[where]

    # A trace shows the line that raised, and the harness's names hold what nobody may learn.
    started = start(code, {"places.py": "\n".join(f"{name} = {at!r}" for name, at in harness.places.items())})

    status = started.status
    assert (status["state"], status["reason"]) == ("failed", "SandboxViolation"), status
    harness.assert_unharmed(started.log + str(status))


@pytest.mark.parametrize(
    ("code", "reason", "says"),
    [
        ("class Model(:\n", "LoadFailed", "model.py, line 1"),
        (model("return [1]", top="import tensorboard_of_mine"), "MissingModule", "tensorboard_of_mine"),
        (
            model("return [1]", load="raise RuntimeError('no words')"),
            "LoadFailed",
            "no words (model.py, line 4)",
        ),
        (model("return [1]", load="import sys; sys.exit(3)"), "LoadFailed", "must not exit"),
        (model("return [1]", load="self.x = bytes(64 << 30)"), "OutOfMemory", "memory"),
        ("def f():\n    return f()\nf()\nclass Model: pass", "LoadFailed", "RecursionError"),
        ("Model = 3", "NotAModel", "no method predict"),
    ],
    ids=["syntax", "package", "load raises", "exits", "memory", "recursion", "a number"],
)
def test_a_load_that_fails_says_where(
    code: str, reason: str, says: str, start: Callable[..., Runtime]
) -> None:
    status = start(code).status

    assert (status["reason"], says in status["message"]) == (reason, True), status
    assert "/" not in status["message"]


def test_a_load_without_end_is_ended(tmp_path: Path, forked_runtime: StartRuntime) -> None:
    endless = model("return [1] * len(rows)", load="while True: pass")
    path = fetched(tmp_path, {"model.py": endless})

    started = forked_runtime(path, "python", MODELPORT_RUNTIME_LOAD_TIMEOUT_SECONDS="1", **SAMPLE)

    assert started.wait_until_ended() == -signal.SIGALRM


def test_prints_without_end_are_no_answer_and_no_harm(start: Callable[..., Runtime]) -> None:
    flood = "[print('y' * 1000) for row in rows if row['a'] > 1 for _ in range(2000)]"
    code = model(f"{flood}; return [row['a'] for row in rows]")

    started = start(code)

    assert started.post("/predict", {"input": {"a": 2}}).json["prediction"] == 2.0
    assert started.log.count("y" * 1000) == 2000


def test_an_archive_that_was_not_unpacked_is_a_damaged_file(
    tmp_path: Path, forked_runtime: StartRuntime
) -> None:
    path = fetched(tmp_path, {"model.py": model("return [1]")})
    folder = unpacked(path)
    folder.rename(folder.with_name("elsewhere"))

    status = forked_runtime(path, "python").wait_until_started().status

    assert (status["reason"], status["message"]) == ("CorruptArtifact", "The archive was not unpacked.")
