"""The process that reads the model and predicts with it: no HTTP, one thread, one batch after the other."""

import ctypes
import gc
import logging
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from modelport_http.wording import counted

from modelport_runtime import wire
from modelport_runtime.core import backends
from modelport_runtime.core.contributions import forget_contributions
from modelport_runtime.core.engine import Engine, describe_error, model_failure
from modelport_runtime.core.types import Call, Failure, Prediction
from modelport_runtime.process.starvation import arm
from modelport_runtime.sandbox import allowed, enter, refusals
from modelport_runtime.sandbox.enter import SandboxReport
from modelport_runtime.settings import Settings
from modelport_runtime.wire import (
    BatchResult,
    Loaded,
    Outcome,
    PredictBatch,
    ProofReport,
    Rechecked,
    Sandboxed,
)
from modelport_runtime.worker import loading
from modelport_runtime.worker.frameworks import frameworks_of
from modelport_runtime.worker.loading import Loader


def release_unused() -> None:
    """Collect once, return free memory to the system, and spare what stays from further collections."""
    gc.collect()
    # glibc keeps what was freed in the middle of its heap: 1 to 5 MiB after a proof. Others lack the call.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    gc.freeze()


log = logging.getLogger(__name__)

_READ_BYTES = 1 << 18
_PARTS_OF_MEMORY = 8
"""A plan may have one such part of the memory limit, for it is held more than once on its way."""


def run(settings: Settings, connection: socket.socket, line: socket.socket) -> None:
    """Be the model process until the server process closes the connection.

    line: the model's end of a `refusals.Line`.
    The order is the security of it: rights go before the file is read.
    """
    frameworks = frameworks_of(settings)
    backends.prepare(*frameworks)
    enter.instead_of_processes()
    arm(settings.load_timeout_seconds)
    confined = allowed.of_a_model(frameworks, settings.artifact)
    end = refusals.ModelsEnd(line)
    report = enter.enter(confined, settings.memory_bytes, end.hand_over)
    log.info("sandboxed", extra={"part": "model", "sandbox_level": report.level, "detail": report.detail})
    serve(settings, report, connection, end.refused)


def serve(
    settings: Settings, report: SandboxReport, connection: socket.socket, refused: loading.Refused
) -> None:
    """Report how well this process is isolated, then `load_and_predict`."""
    connection.sendall(wire.frame(Sandboxed(report.level, report.detail)))
    load_and_predict(settings, report, connection, refused)


def load_and_predict(
    settings: Settings, report: SandboxReport, connection: socket.socket, refused: loading.Refused
) -> None:
    """Load, prove, and predict until the server process closes the connection."""
    loader = Loader(settings, report, refused)
    engine = loader.run()
    proves = engine is not None and settings.may_accelerate
    connection.sendall(wire.frame(Loaded(loader.document(engine), loader.seconds, proves)))
    if engine is not None and proves:
        connection.sendall(_prove(engine, settings))
    if engine is not None:
        forget_contributions(engine)
    release_unused()
    for message in _messages(connection):
        if engine is not None:
            connection.sendall(_reply(engine, message))


def _messages(connection: socket.socket) -> Iterator[wire.ToModel]:
    frames = wire.Frames()
    while data := connection.recv(_READ_BYTES):
        for body in frames.feed(data):
            yield wire.decode_to_model(body)


def _reply(engine: Engine, message: wire.ToModel) -> bytes:
    if isinstance(message, PredictBatch):
        return _batch_result(engine, message.calls)
    from modelport_runtime.core.acceleration import difference

    return wire.frame(Rechecked(difference(engine, message.call, message.answer)))


def _batch_result(engine: Engine, calls: list[Call]) -> bytes:
    started = time.perf_counter()
    outcomes = _predict(engine, calls)
    seconds = time.perf_counter() - started
    framed = _frame(outcomes, seconds)
    if len(framed) > wire.MAX_FRAME_BYTES:
        framed = _frame([_too_large(len(framed))] * len(calls), seconds)
    return framed


def _predict(engine: Engine, calls: list[Call]) -> Sequence[Outcome]:
    try:
        return engine.predict_many(calls)
    except BaseException as error:  # noqa: BLE001  # nothing that a model raises must end the process
        return [model_failure(error)] * len(calls)


def _frame(outcomes: Sequence[Outcome], seconds: float) -> bytes:
    sent = [outcome if isinstance(outcome, Failure) else outcome.body for outcome in outcomes]
    binary = {
        place: outcome.json_bytes
        for place, outcome in enumerate(outcomes)
        if isinstance(outcome, Prediction) and outcome.json_bytes is not None
    }
    try:
        return wire.frame(BatchResult(sent, seconds, binary))
    except UnicodeEncodeError:
        return wire.frame(
            BatchResult(
                [_printable(one) if isinstance(one, Failure) else one for one in sent], seconds, binary
            )
        )


def _printable(failure: Failure) -> Failure:
    """An exception's text may hold lone surrogates, which no encoding knows."""
    return replace(failure, detail=_replaced(failure.detail), trace=_replaced(failure.trace or ""))


def _replaced(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _too_large(size: int) -> Failure:
    return Failure(
        500,
        "Answer too large",
        f"The responses of one batch have {counted(size, 'byte')}. Send fewer rows in one request.",
        reason="ModelError",
    )


def _prove(engine: Engine, settings: Settings) -> bytes:
    try:
        return wire.frame(_accelerate(engine, settings))
    except BaseException as error:  # a model's own code runs here too; it is served as it is
        log.exception("acceleration_failed")
        return wire.frame(
            ProofReport(None, 0, None, _replaced(f"The conversion failed: {describe_error(error)}"))
        )


def _accelerate(engine: Engine, settings: Settings) -> ProofReport:
    # Only where it is wanted: it imports much of what it knows how to convert.
    from modelport_runtime.core.acceleration import Declined, accelerate, shown

    result = accelerate(engine)
    if isinstance(result, Declined):
        return ProofReport(None, 0, None, result.detail)
    if len(result.plan) > settings.memory_bytes // _PARTS_OF_MEMORY:
        size = len(result.plan) // 1024**2
        return ProofReport(
            None, 0, None, f"As kernels the model would take {size} MiB of its memory limit again."
        )
    proof = result.proof
    rows = counted(proof.rows_compared, "generated row")
    detail = (
        f"NumPy kernels gave the loaded model's predictions on {rows} "
        f"and are {proof.speedup:.1f} times as fast."
    )
    repeatable = b"" if settings.model_python is None else shown.encode(result.shown)
    return ProofReport(result.plan, proof.rows_compared, proof.largest_difference, detail, repeatable)
