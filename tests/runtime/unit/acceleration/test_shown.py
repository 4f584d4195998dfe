"""A proof repeated where other libraries serve: its rows, the model's answers, the kernels of the plan."""

from collections.abc import Callable

import msgspec
import pytest
from modelport_runtime.core.acceleration import Accelerated, NotConfirmed, accelerate, confirm, read_plan
from modelport_runtime.core.acceleration.outcome import Shown
from modelport_runtime.core.acceleration.shown import encode
from modelport_runtime.core.engine import Engine

from tests.runtime.unit.acceleration import trained

Serve = Callable[..., Engine]


def proven(engine: Engine) -> tuple[Engine, list[Shown]]:
    """Return what the server process would make of the model, and the rows that it is shown."""
    result = accelerate(engine, seconds=30.0)
    assert isinstance(result, Accelerated), result
    backend = read_plan(result.plan)
    return Engine(backend, backend.signature, model="m", version="v1", max_batch_rows=64), list(result.shown)


@pytest.mark.parametrize("case", ["logistic, three classes", "mixed, unknown as missing"])
def test_a_proof_can_be_repeated(case: str, serve: Serve) -> None:
    kernels, shown = proven(serve(trained.CASES[case]()))
    assert 1_000 <= confirm(kernels, encode(shown)) <= 4_000


@pytest.fixture
def shown(serve: Serve) -> tuple[Engine, list[Shown]]:
    return proven(serve(trained.CASES["logistic, three classes"]()))


@pytest.mark.parametrize("chunk", [0, -1])
def test_one_other_answer_is_a_difference(chunk: int, shown: tuple[Engine, list[Shown]]) -> None:
    kernels, rows = shown
    rows[chunk].values["prediction"][-1] = "a fourth class"
    with pytest.raises(NotConfirmed, match=r"with NumPy \d.*the kernels differ"):
        confirm(kernels, encode(rows))


def test_no_rows_are_no_proof(shown: tuple[Engine, list[Shown]]) -> None:
    with pytest.raises(NotConfirmed, match="without rows"):
        confirm(shown[0], encode([]))


def test_what_a_model_makes_up_raises_and_does_no_more(shown: tuple[Engine, list[Shown]]) -> None:
    kernels, rows = shown
    outputs = rows[0].values
    for forged in ([Shown([[1.0]], outputs)], [Shown([], {})], [Shown([["x"] * 4], {"probabilities": [1]})]):
        with pytest.raises(Exception):  # noqa: B017  # whatever it is: the supervisor takes all
            confirm(kernels, encode(forged))
    with pytest.raises(msgspec.MsgspecError):
        confirm(kernels, b"\xc1")
    with pytest.raises(NotConfirmed, match="too much memory"):
        confirm(kernels, bytes(9 * 1024**2))


def test_of_much_every_second_chunk_is_left_out() -> None:
    wide = [Shown([[0.5] * 10_000], {"prediction": [float(number)]}) for number in range(200)]
    data = encode(wide)
    assert len(data) <= 8 * 1024**2
    assert [each.values["prediction"][0] for each in msgspec.msgpack.decode(data, type=list[Shown])][:2] == [
        0,
        4,
    ]
