"""What the server process knows of its model, from what the model process reports and from how it ends."""

import asyncio
import json
import logging
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

import msgspec

from modelport_runtime import metrics, wire
from modelport_runtime.core.engine import Engine, describe_error
from modelport_runtime.process import supervision
from modelport_runtime.process.starvation import Schedule
from modelport_runtime.process.supervision import BROKE_THE_PROTOCOL, Child, LoadWatch
from modelport_runtime.process.usage_watch import Ended, Usage, UsageWatch
from modelport_runtime.sandbox.enter import SandboxReport
from modelport_runtime.server.accelerated import Accelerated
from modelport_runtime.server.batching import Batcher
from modelport_runtime.server.channel import Channel
from modelport_runtime.server.status import Acceleration, State
from modelport_runtime.settings import Settings
from modelport_runtime.wire import Loaded, LoadReport, ProofReport, ProtocolError, Sandboxed

log = logging.getLogger(__name__)

_PROOF_SECONDS = 5.0
"""So long readiness waits for the proof; a slow model is served as it is until that ends."""
_PARTING_SECONDS = 1.0
"""From the end of the connection to the end of the process, and the other way round."""

_ENDED_FROM_OUTSIDE = (-signal.SIGALRM, -signal.SIGKILL, -signal.SIGTERM)


class ModelSupervisor:
    """Holds the state, and sets the batcher's model. Everything of it runs on the event loop."""

    def __init__(
        self,
        settings: Settings,
        report: SandboxReport,
        batcher: Batcher,
        child: Child,
        end_like: Callable[[int], None] = supervision.end_like,
        *,
        schedule: Schedule | None = None,
        usage: Usage | None = None,
        refused: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        """report: how well the server process itself is isolated. end_like: ends the process with an exit
        status. schedule, usage: the child's; None: it is taken never to wait for others, and to use nothing.
        refused: what the kernel has refused the child so far."""
        self.state = State(sandbox=report)
        self._settings = settings
        self._batcher = batcher
        self._child = child
        self._end_like = end_like
        self._refused = refused
        self._load_watch = LoadWatch(child, schedule or Schedule(None), settings.load_timeout_seconds)
        self._usage_watch = UsageWatch(child, usage or Usage(None), settings.memory_bytes)
        self._channel = Channel(self._handle, self._closed)
        self._has_reported = False
        self._is_closed = False
        self._breach: str | None = None
        self._proof_due: asyncio.TimerHandle | None = None
        self._kernels: Accelerated | None = None

    async def connect(self, connection: socket.socket) -> None:
        """Listen to the model process from now on, and watch for its end."""
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: self._channel, sock=connection)
        self._child.watch(self._exited)
        self._load_watch.begin()
        self._usage_watch.begin()
        metrics.ORIGINAL_RUNS.set(1)

    def disconnect(self) -> None:
        """Let the model process end."""
        self._channel.close()

    def _handle(self, event: wire.WorkerEvent) -> None:
        match event:
            case Sandboxed():
                self._note_sandbox(SandboxReport(event.level, event.detail))
            case Loaded():
                self._note_load(event)
            case ProofReport():
                self._note_proof(event)
            case _:
                assert_never(event)

    def _note_sandbox(self, report: SandboxReport) -> None:
        """The first message of a model process, sent before the model is read."""
        if self._has_reported:
            raise ProtocolError("a second report of the sandbox")
        self._has_reported = True
        weaker = min(report, self.state.sandbox, key=lambda each: each.level)
        self.state = replace(self.state, sandbox=weaker)
        metrics.SANDBOX_LEVEL.set(weaker.level)

    def _note_load(self, event: Loaded) -> None:
        self._load_watch.end()
        if self.state.reported is not None:
            raise ProtocolError("a second load")
        if event.proves and not self._settings.may_accelerate:
            raise ProtocolError("a proof that was not asked for")
        # Not msgspec's own: a model's text may hold lone surrogates, which JSON can write and it refuses.
        reported = msgspec.convert(json.loads(event.document), LoadReport)
        self.state = replace(self.state, reported=reported)
        metrics.LOAD_SECONDS.set(event.seconds)
        if reported.state == "failed":
            self.state = replace(self.state, phase="failed", acceleration=_native("No model is served."))
            self._channel.close()
        elif event.proves:
            self._expect_proof()
        else:
            self._become_ready(_native(self._why_native()))

    def _expect_proof(self) -> None:
        waits = Acceleration(detail="NumPy kernels are being compared with the model.")
        loop = asyncio.get_running_loop()
        self._proof_due = loop.call_later(_PROOF_SECONDS, self._become_ready, waits)

    def _note_proof(self, event: ProofReport) -> None:
        if self._proof_due is None:
            raise ProtocolError("a proof that nobody waits for")
        self._proof_due.cancel()
        self._proof_due = None
        acceleration = Acceleration(event.rows_compared, event.largest_difference, event.detail)
        if event.plan is None:
            self._become_ready(acceleration)
            return
        engine = self._read(event.plan, event.shown)
        if isinstance(engine, Engine):
            self._adopt(engine, acceleration)
        else:
            self._become_ready(_native(engine))

    def _read(self, plan: bytes, shown: bytes) -> Engine | str:
        """Make an engine of a plan, which a hostile model may have written, or say why there is none."""
        from modelport_runtime.core.acceleration import NotConfirmed, confirm, read_plan

        settings = self._settings
        why = "The kernels' plan was refused; the original answers."
        try:
            backend = read_plan(plan)
            engine = Engine(
                backend,
                backend.signature,
                model=settings.model,
                version=settings.version,
                max_batch_rows=settings.max_batch_size,
            )
            reported = self.state.reported
            if reported is not None and reported.sample is not None:
                engine.run(engine.decode_sample(reported.sample))
            if settings.model_python is not None:
                log.info("proof_confirmed", extra={"rows": confirm(engine, shown)})
        except NotConfirmed as error:
            why = f"{error} The original answers."
            log.error("proof_not_confirmed", extra={"detail": str(error)})
        except Exception as error:  # noqa: BLE001  # PlanRefused, or what kernels over untrusted arrays raise
            log.error("plan_refused", extra={"detail": describe_error(error)})
        else:
            return engine
        metrics.DIFFERENCES.inc()
        return why

    def _adopt(self, engine: Engine, acceleration: Acceleration) -> None:
        every = self._settings.recheck_every
        bounds = {"inline_bytes": each} if (each := getattr(engine.backend, "inline_bytes", None)) else {}
        kernels = Accelerated(
            engine, self._channel, recheck_every=every, on_difference=self._go_back_to_the_original, **bounds
        )
        message = (
            f"Every {every}th request is compared with it."
            if every
            else "The original was dropped, so no request is compared with it."
        )
        self.state = replace(self.state, engine="numpy")
        metrics.ACCELERATED.set(1)
        self._become_ready(replace(acceleration, detail=f"{acceleration.detail} {message}"))
        self._batcher.use(kernels)
        self._kernels = kernels
        if not every:
            # Nobody else can say then which value of a row was refused.
            engine.sample = self.state.reported.sample if self.state.reported else None
            self._channel.dismiss()

    def _become_ready(self, acceleration: Acceleration) -> None:
        """Also called when the proof ends later: what `/status` reports of it is then replaced."""
        self.state = replace(self.state, phase="ready", acceleration=acceleration)
        metrics.READY.set(1)
        log.info("ready", extra={"engine": self.state.engine, "detail": acceleration.detail})
        if self.state.engine == "native":
            self._batcher.use(self._channel)

    def _why_native(self) -> str:
        if self._settings.acceleration == "off":
            return "Acceleration is switched off."
        if self._settings.framework == "python":
            return "Code of its own predicts."
        if self._settings.framework == "ensemble":
            return "The members of an ensemble predict themselves."
        return f"Models of {self._settings.framework} are served by the library itself."

    def _go_back_to_the_original(self) -> None:
        if self.state.engine == "native":
            return
        metrics.DIFFERENCES.inc()
        metrics.ACCELERATED.set(0)
        detail = (
            "The kernels gave another prediction than the original for a request; the original answers now."
        )
        log.error("acceleration_differs", extra={"detail": detail})
        acceleration = replace(self.state.acceleration, detail=detail)
        self.state = replace(self.state, engine="native", acceleration=acceleration)
        self._batcher.use(self._channel)

    def _closed(self, breach: str | None) -> None:
        self._is_closed, self._breach = True, breach
        if breach is not None:
            log.error("model_process_broke_the_protocol", extra={"detail": breach})
        if self._child.status is not None:
            self._ended()
        elif breach is not None:
            self._child.kill()
        else:
            asyncio.get_running_loop().call_later(_PARTING_SECONDS, self._kill_what_stays)

    def _kill_what_stays(self) -> None:
        if self._child.status is None:
            self._breach = self._breach or "it closed the connection and went on"
            log.error("model_process_killed", extra={"detail": self._breach})
            self._child.kill()

    def _exited(self) -> None:
        # Its last message may still be on its way.
        if self._is_closed:
            self._ended()
        else:
            asyncio.get_running_loop().call_later(_PARTING_SECONDS, self._channel.close)

    def _ended(self) -> None:
        """Both the process and its connection have ended."""
        self._load_watch.end()
        self._usage_watch.end()
        status = -signal.SIGALRM if self._load_watch.is_over else self._child.status
        metrics.ORIGINAL_RUNS.set(0)
        if self.state.phase == "failed":
            return
        if self.state.engine == "numpy" and self._kernels is not None:
            self._kernels.give_up_the_original()
            self._report_that_the_original_ended()
            return
        overuse = self._usage_watch.overuse
        if self.state.reported is None and (failure := overuse or self._violation(status)):
            self._fail(failure)
            return
        if overuse is not None:
            self._breach = overuse.message
            # The last line of the log.
            log.error("model_process_killed", extra={"detail": overuse.message})
        # Not logged: supervisors report the last line of a log, which is to be the model's.
        self._end_like(BROKE_THE_PROTOCOL if self._breach is not None or status is None else status)

    def _violation(self, status: int | None) -> Ended | None:
        """Libraries that cannot go on without a call end the process."""
        refused = "; ".join(self._refused())
        if not refused or self._breach is not None or status in _ENDED_FROM_OUTSIDE:
            return None
        message = (
            f"Loading the file tried something that a model may not do, and ended its process: {refused}."
        )
        return Ended("SandboxViolation", message)

    def _fail(self, failure: Ended) -> None:
        """The load has ended with its process: it could not report so itself."""
        log.warning("load_ended", extra={"reason": failure.reason, "detail": failure.message})
        reported = LoadReport(state="failed", reason=failure.reason, message=failure.message)
        native = _native("No model is served.")
        self.state = replace(self.state, reported=reported, phase="failed", acceleration=native)

    def _report_that_the_original_ended(self) -> None:
        if not self._settings.recheck_every:
            return
        log.warning("original_ended", extra={"status": self._child.status})
        detail = (
            f"{self.state.acceleration.detail} The original's process has ended: none is compared any more."
        )
        acceleration = replace(self.state.acceleration, detail=detail)
        self.state = replace(self.state, acceleration=acceleration)


def _native(detail: str) -> Acceleration:
    return Acceleration(detail=detail)
