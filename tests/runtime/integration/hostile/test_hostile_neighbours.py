"""What a hostile model does to the server process, its parent, by the one way that it has: the socket between
them.
"""

import signal
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from modelport_runtime import wire
from modelport_runtime.core.responses import encode
from modelport_runtime.core.types import Failure

from tests.runtime.integration.hostile.harness import Harness
from tests.support.runtime_fixtures import Runtime

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

StartRuntime = Callable[..., Runtime]

SENDS = """
import os, time
for number in range(3, 64):
    try:
        for data in DATA: os.write(number, data)
    except OSError: pass
"""
STAYS = "time.sleep(600)"
BROKE_THE_PROTOCOL = 70

REPORTED: dict[str, Any] = {
    "state": "ready", "reason": None, "message": None, "signature": None, "sample": None,
    "sample_source": None, "found": {}, "here": {}, "differences": [], "v2": {},
}  # fmt: skip


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    harness = Harness(tmp_path)
    yield harness
    harness.close()


def loaded(proves: bool = False, **changes: Any) -> bytes:
    return wire.frame(wire.Loaded(encode(REPORTED | changes), 0.1, proves))


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n" * 1000,
        struct.pack(">I", 2**32 - 1) + b"x",
        struct.pack(">I", 4) + b"\xc1\xc1\xc1\xc1",
        struct.pack(">I", 0),
        wire.frame(wire.PredictBatch([])),
        wire.frame(wire.BatchResult([], 0.0)),
        wire.frame(wire.BatchResult([Failure(200, "t", "d")], 0.0)),
        wire.frame(wire.Rechecked(0.0)),
        wire.frame(wire.ProofReport(b"plan", 10**6, 0.0, "unasked")),
        wire.frame(wire.Sandboxed(2, "x")).replace(b"\x02", b"\x03"),
        wire.frame(wire.Loaded(b"[" * 100_000, 0.1, False)),
        wire.frame(wire.Loaded(b"{}", 0.1, False)),
        loaded(state="loading"),
        loaded() * 2,
    ],
    ids=[
        "other protocol", "too long", "no msgpack", "empty", "a question", "a response that nobody waits for",
        "a failure that is none", "a comparison that nobody waits for", "a proof that nobody waits for",
        "a level that is none", "deep JSON", "no document", "a state that is none", "two loads",
    ],
)  # fmt: skip
def test_a_front_that_hears_nonsense_ends_with_the_model(
    data: bytes, harness: Harness, forked_runtime: StartRuntime
) -> None:
    started = forked_runtime(harness.infect(SENDS + STAYS, DATA=[data]))

    assert started.wait_until_ended() == BROKE_THE_PROTOCOL, started.log
    assert "model_process_broke_the_protocol" in started.log
    harness.assert_unharmed(started.log)


def test_half_a_frame_is_waited_for_until_the_deadline(
    harness: Harness, forked_runtime: StartRuntime
) -> None:
    half = wire.frame(wire.Sandboxed(2, "x" * 1000))[:500]

    started = forked_runtime(
        harness.infect(SENDS + STAYS, DATA=[half]), MODELPORT_RUNTIME_LOAD_TIMEOUT_SECONDS="1"
    )

    assert started.wait_until_ended() == -signal.SIGALRM


def test_a_model_that_floods_the_front_is_ended(harness: Harness, forked_runtime: StartRuntime) -> None:
    again = "\nwhile True: os.writev(CONNECTION, DATA * 1000)"
    source = SENDS.replace("except", "    CONNECTION = number\n    except") + again

    started = forked_runtime(harness.infect(source, DATA=[wire.frame(wire.Sandboxed(2, "x" * 1000))]))

    assert started.wait_until_ended() == BROKE_THE_PROTOCOL


def test_a_model_that_closes_the_connection_and_stays_is_ended(
    harness: Harness, forked_runtime: StartRuntime
) -> None:
    started = forked_runtime(harness.infect("import os, time; os.closerange(3, 64); time.sleep(600)"))

    assert started.wait_until_ended() == BROKE_THE_PROTOCOL


def test_a_model_holds_two_sockets_and_no_listener(harness: Harness, forked_runtime: StartRuntime) -> None:
    source = """
import os, socket, stat
def is_socket(number):
    try: return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError: return False
numbers = list(filter(is_socket, range(3, 64)))
held = [socket.socket(fileno=os.dup(number)) for number in numbers]
raise ValueError(f"listens {[one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) for one in held]}")
"""

    started = forked_runtime(harness.infect(source)).wait_until_started()

    assert "listens [0, 0]." in started.status["message"]


def test_a_forged_load_is_the_models_own_lie_alone(harness: Harness, forked_runtime: StartRuntime) -> None:
    lie = loaded(message="\ud800", found={"scikit-learn": "9" * 1000})

    started = forked_runtime(harness.infect(SENDS + STAYS, DATA=[lie])).wait_until_started()

    assert started.status["state"] == "ready"
    assert started.status["sha256"] != "", "what the platform said stays"
    assert [started.get(path).status for path in ("/healthz", "/readyz", "/v2")] == [200, 200, 200]
    harness.assert_unharmed(started.log)


@pytest.mark.parametrize("plan", [b"", b"plan", b"\xc1" * 1000, b"\xdf\xff\xff\xff\xff"])
def test_a_plan_that_is_none_is_refused(plan: bytes, harness: Harness, forked_runtime: StartRuntime) -> None:
    data = [loaded(proves=True), wire.frame(wire.ProofReport(plan, 10_000, 0.0, "proven, it says"))]

    started = forked_runtime(harness.infect(SENDS + STAYS, DATA=data)).wait_until_started()

    assert started.status["engine"] == "native"
    assert "refused" in started.status["acceleration"]["detail"]
    assert started.status["acceleration"]["rows_compared"] == 0
    assert started.get("/healthz").status == 200
    assert b"modelport_runtime_acceleration_differences_total 1.0" in started.get("/metrics").body
