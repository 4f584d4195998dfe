"""What the server process makes of what its model process reports and how it ends. The tests speak for the
process.
"""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, cast

import pytest
from modelport_runtime import wire
from modelport_runtime.core.acceleration import NotConfirmed, confirm
from modelport_runtime.core.acceleration.outcome import Shown
from modelport_runtime.core.acceleration.shown import encode as encode_shown
from modelport_runtime.core.responses import encode
from modelport_runtime.core.signature import Signature, positional_columns
from modelport_runtime.core.types import Call, Outputs, Prediction
from modelport_runtime.process.supervision import Child
from modelport_runtime.sandbox.enter import SandboxReport
from modelport_runtime.server import model_supervisor as supervisor_module
from modelport_runtime.server.batching import Batcher
from modelport_runtime.server.model_supervisor import ModelSupervisor
from modelport_runtime.server.status import status_document
from modelport_runtime.settings import Settings
from modelport_runtime.wire import BatchResult, Loaded, Outcome, ProofReport, Rechecked, Sandboxed

from tests.support.waiting import until

SIGNATURE = Signature("regressor", positional_columns(1), positional=True)
REPORTED: dict[str, Any] = {
    "state": "ready", "reason": None, "message": None, "signature": SIGNATURE.to_json(),
    "sample": {"input": [1.0]}, "sample_source": "given", "found": {}, "here": {}, "differences": [],
    "v2": {},
}  # fmt: skip
LOADED = Loaded(encode(REPORTED), 0.1, proves=False)
PROVES = Loaded(encode(REPORTED), 0.1, proves=True)
PROVEN = ProofReport(b"a plan", 10_000, 1e-16, "Proven.")
BODY = b'{"input":[2]}'
BY_KERNELS = b'{"model":"m","version":"v1","prediction":20.0}'
BY_THE_MODEL = b'{"model":"m","version":"v1","prediction":2.0}'


class Kernels:
    """What a plan is read to: ten times the only column."""

    signature = SIGNATURE
    libraries: ClassVar[dict[str, str]] = {}

    def assembler(self, _signature: Signature) -> Callable[[list[Any]], Any]:
        return list

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        return Outputs({name: [row[0] * 10 for row in inputs] for name in wanted})


def read_plan(plan: bytes) -> Kernels:
    if plan != PROVEN.plan:
        raise ValueError("no plan")
    return Kernels()


class Process:
    """The model process: what it says is sent over a real socket pair, its end is reported by `ends`."""

    def __init__(self, connection: socket.socket) -> None:
        self.status: int | None = None
        self.was_killed = False
        self._connection = connection
        self._on_exit: Callable[[], None] = lambda: None
        self._frames = wire.Frames()

    def watch(self, on_exit: Callable[[], None]) -> None:
        self._on_exit = on_exit

    def kill(self) -> None:
        if self.status is None:
            self.was_killed = True
            self.ends(-9)

    def ends(self, status: int) -> None:
        self.status = status
        self._connection.close()
        self._on_exit()

    async def says(self, *messages: wire.FromModel) -> None:
        data = b"".join(map(wire.frame, messages))
        await asyncio.get_running_loop().sock_sendall(self._connection, data)

    async def hears(self) -> wire.ToModel | None:
        """Return the next message, None when the server process has closed the connection."""
        while data := await asyncio.get_running_loop().sock_recv(self._connection, 1 << 16):
            for body in self._frames.feed(data):
                return wire.decode_to_model(body)
        return None


class Asked:
    """A call in the queue."""

    call = Call("native", BODY)
    gone = False

    def __init__(self) -> None:
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def end(self, outcome: Outcome, seconds: float) -> None:
        self.outcome.set_result(outcome)


class Pair:
    """A supervisor, and the process that it believes to be its child."""

    def __init__(
        self, supervisor: ModelSupervisor, process: Process, batcher: Batcher, settings: Settings
    ) -> None:
        self.supervisor = supervisor
        self.process = process
        self.ended: list[int] = []
        self._batcher = batcher
        self._settings = settings

    @property
    def status(self) -> dict[str, Any]:
        return status_document(self._settings, self.supervisor.state)

    def predict(self) -> asyncio.Future[Outcome]:
        asked = Asked()
        self._batcher.submit(asked)
        return asked.outcome

    async def until_ready(self) -> dict[str, Any]:
        await until(lambda: self.supervisor.state.phase == "ready")
        return self.status


Begin = Callable[..., Any]


@pytest.fixture
async def begin(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Begin]:
    plans = ModuleType("modelport_runtime.core.acceleration")
    vars(plans).update(read_plan=read_plan, confirm=confirm, NotConfirmed=NotConfirmed)
    monkeypatch.setitem(sys.modules, plans.__name__, plans)
    monkeypatch.setattr(supervisor_module, "_PARTING_SECONDS", 0.05)
    pairs: list[Pair] = []

    async def begin(**changes: Any) -> Pair:
        given = {"model": "m", "version": "v1", "framework": "sklearn", "artifact": Path("model")}
        settings = Settings(**(given | {"artifact_sha256": "0" * 64} | changes))
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        process = Process(theirs)
        batcher = Batcher(max_queue=8, max_batch=8, stuck_after=60)
        ended: list[int] = []
        report = SandboxReport(2, "both")
        supervisor = ModelSupervisor(settings, report, batcher, cast(Child, process), ended.append)
        await supervisor.connect(ours)
        pair = Pair(supervisor, process, batcher, settings)
        pair.ended = ended
        pairs.append(pair)
        return pair

    async with asyncio.timeout(60):
        yield begin
    for pair in pairs:
        pair.supervisor.disconnect()
        pair.process._connection.close()


async def test_without_a_proof_the_model_itself_predicts(begin: Begin) -> None:
    pair: Pair = await begin(acceleration="off")
    await pair.process.says(Sandboxed(1, "no Landlock"), LOADED)
    status = await pair.until_ready()
    asked = pair.predict()

    assert await pair.process.hears() == wire.PredictBatch([Call("native", BODY)])
    await pair.process.says(BatchResult([BY_THE_MODEL], 0.1))
    assert await asked == Prediction(BY_THE_MODEL)
    assert status["sandbox"] == {"level": 1, "detail": "no Landlock"}
    assert status["engine"] == "native"
    assert "switched off" in status["acceleration"]["detail"]


async def test_proven_kernels_predict_and_the_status_reports_it(begin: Begin) -> None:
    pair: Pair = await begin(recheck_every=7)
    await pair.process.says(PROVES, PROVEN)
    status = await pair.until_ready()

    assert await pair.predict() == Prediction(BY_KERNELS)
    assert status["engine"] == "numpy"
    assert status["acceleration"] == {
        "setting": "auto",
        "rows_compared": 10_000,
        "largest_difference": 1e-16,
        "detail": "Proven. Every 7th request is compared with it.",
    }


async def test_a_declined_conversion_says_why(begin: Begin) -> None:
    pair: Pair = await begin()
    await pair.process.says(PROVES, ProofReport(None, 0, None, "A KMeans is not known."))
    status = await pair.until_ready()

    assert (status["engine"], status["acceleration"]["detail"]) == ("native", "A KMeans is not known.")


@pytest.mark.parametrize(
    ("plan", "reported"), [(b"no plan", REPORTED), (PROVEN.plan, REPORTED | {"sample": {"input": [1, 2]}})]
)
async def test_a_plan_that_cannot_be_used_leaves_the_model_itself(
    plan: bytes, reported: dict[str, Any], begin: Begin
) -> None:
    pair: Pair = await begin()
    await pair.process.says(
        Loaded(encode(reported), 0.1, proves=True), ProofReport(plan, 10_000, 0.0, "Proven.")
    )
    status = await pair.until_ready()

    assert status["engine"] == "native"
    assert "refused" in status["acceleration"]["detail"]
    assert status["acceleration"]["rows_compared"] == 0


def _shown(answer: float) -> bytes:
    return encode_shown([Shown([[2.0]], {"prediction": [answer]})])


@pytest.mark.parametrize(
    ("shown", "engine", "detail"),
    [
        (_shown(20.0), "numpy", "Proven."),
        (_shown(21.0), "native", "Where they serve, with NumPy"),
        (b"", "native", "The kernels' plan was refused"),
    ],
)
async def test_another_python_confirms_the_proof(
    shown: bytes, engine: str, detail: str, begin: Begin
) -> None:
    pair: Pair = await begin(model_python=Path("python"))
    await pair.process.says(PROVES, ProofReport(b"a plan", 10_000, 1e-16, "Proven.", shown))
    status = await pair.until_ready()

    assert status["engine"] == engine
    assert status["acceleration"]["detail"].startswith(detail)


async def test_a_difference_switches_back_and_is_reported(begin: Begin) -> None:
    pair: Pair = await begin(recheck_every=1)
    await pair.process.says(PROVES, PROVEN)
    await pair.until_ready()
    await pair.predict()
    assert await pair.process.hears() == wire.Recheck(Call("native", BODY), Prediction(BY_KERNELS))

    await pair.process.says(Rechecked(None))

    await until(lambda: pair.status["engine"] == "native")
    assert "another prediction than the original" in pair.status["acceleration"]["detail"]
    asked = pair.predict()
    await pair.process.hears()
    await pair.process.says(BatchResult([BY_THE_MODEL], 0.1))
    assert await asked == Prediction(BY_THE_MODEL)
    assert pair.status["state"] == "ready"


async def test_a_slow_proof_keeps_nobody_waiting(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "_PROOF_SECONDS", 0.01)
    pair: Pair = await begin(recheck_every=0)
    await pair.process.says(PROVES)
    assert (await pair.until_ready())["engine"] == "native"
    asked = pair.predict()
    await pair.process.hears()

    await pair.process.says(PROVEN, BatchResult([BY_THE_MODEL], 0.1))

    assert await asked == Prediction(BY_THE_MODEL), "it was asked before the proof"
    assert pair.status["engine"] == "numpy"
    assert await pair.process.hears() is None, "it is let go only now"
    assert await pair.predict() == Prediction(BY_KERNELS)


async def test_an_original_that_is_not_needed_is_let_go(begin: Begin) -> None:
    pair: Pair = await begin(recheck_every=0)
    await pair.process.says(PROVES, PROVEN)

    assert await pair.process.hears() is None
    pair.process.ends(0)

    await asyncio.sleep(0.1)
    assert (pair.ended, pair.process.was_killed) == ([], False)
    assert "no request is compared" in pair.status["acceleration"]["detail"]
    assert await pair.predict() == Prediction(BY_KERNELS)


async def test_kernels_go_on_without_the_original_and_say_so(begin: Begin) -> None:
    pair: Pair = await begin()
    await pair.process.says(PROVES, PROVEN)
    await pair.until_ready()

    pair.process.ends(-9)

    await until(lambda: "has ended" in pair.status["acceleration"]["detail"])
    assert pair.ended == []
    assert await pair.predict() == Prediction(BY_KERNELS)


@pytest.mark.parametrize("status", [-14, -9, 0, 7])
@pytest.mark.parametrize("messages", [[], [LOADED], [PROVES]])
async def test_the_end_of_a_model_that_predicts_ends_the_server_process_too(
    status: int, messages: Sequence[wire.FromModel], begin: Begin
) -> None:
    pair: Pair = await begin()
    await pair.process.says(*messages)

    pair.process.ends(status)

    await until(lambda: pair.ended != [])
    assert pair.ended == [status]


async def test_a_failed_load_is_heard_though_the_process_has_ended(begin: Begin) -> None:
    pair: Pair = await begin()
    failed = REPORTED | {"state": "failed", "reason": "NotAModel", "message": "It is a list."}
    await pair.process.says(Loaded(encode(failed), 0.1, proves=False))

    pair.process.ends(0)

    await until(lambda: pair.supervisor.state.phase == "failed")
    await asyncio.sleep(0.1)
    assert pair.ended == []
    assert (pair.status["reason"], pair.status["message"]) == ("NotAModel", "It is a list.")


async def test_nonsense_ends_both(begin: Begin) -> None:
    pair: Pair = await begin()
    await pair.process.says(LOADED, LOADED)

    await until(lambda: pair.ended != [])
    assert pair.ended == [70]
    assert pair.process.was_killed


async def test_kernels_that_were_not_requested_end_both(begin: Begin) -> None:
    pair: Pair = await begin(acceleration="off")
    await pair.process.says(PROVES, PROVEN)

    await until(lambda: pair.ended != [])
    assert pair.ended == [70]


async def test_a_process_that_only_closes_its_connection_is_killed(begin: Begin) -> None:
    pair: Pair = await begin()
    pair.process._connection.close()

    await until(lambda: pair.ended != [])
    assert pair.ended == [70]
    assert pair.process.was_killed
