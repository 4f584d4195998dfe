"""What an ended container says by the way it ended."""

import json
import signal
from datetime import datetime
from typing import Any

from modelport_crds.endings import log_words
from modelport_crds.reasons import Reason
from modelport_kube.kube import Object

from modelport_operator.core.problems import ONCE, TWICE, Problem
from modelport_operator.core.untrusted import plain_text
from modelport_operator.settings import Settings

_FETCH_REASONS = {Reason.DIGEST_MISMATCH, Reason.ARTIFACT_NOT_FOUND, Reason.TOO_LARGE}
_UNREACHABLE = 2
# LocalCluster's words; a kubelet has none.
_PROBES = {"StartupProbeFailed": Reason.LOAD_TIMEOUT, "LivenessProbeFailed": Reason.RUNTIME_CRASHED}
_STARVED = "starved of CPU"


def explain_fetch_exit(terminated: Object) -> Problem:
    """Read how the init container ended; it leaves one JSON line when it knows why."""
    said = _last_json_line(terminated.get("message", ""))
    reason = said.get("reason")
    if reason in _FETCH_REASONS:
        return Problem(Reason(reason), plain_text(str(said.get("message", ""))), ONCE)
    if terminated.get("exitCode") == _UNREACHABLE:
        happened = plain_text(str(said.get("message", "")))
        return Problem(
            Reason.PROGRESSING, happened or "The artifact's source cannot be reached; it is tried again."
        )
    return Problem(Reason.RUNTIME_CRASHED, f"Fetching the artifact ended with {_ending(terminated)}.", TWICE)


def explain_model_exit(terminated: Object, memory_limit: str, settings: Settings, *, served: bool) -> Problem:
    """Read how the model's container ended. SIGALRM is the runtime's own deadline around a load.

    served: its pod template has answered before, so its load fits into time and memory.
    """
    number = exit_signal(terminated)
    if (reason := terminated.get("reason")) in _PROBES and _STARVED in terminated.get("message", ""):
        return Problem(_PROBES[reason], plain_text(terminated["message"], 300), TWICE)
    if reason == "OOMKilled":
        return _out_of_memory(memory_limit, "The kernel ended the process for its memory.")
    if served and number == signal.SIGKILL:
        by_whom = "by the system for lack of memory, or by someone"
        return Problem(Reason.RUNTIME_CRASHED, f"The process was killed (SIGKILL): {by_whom}.", TWICE)
    if number == signal.SIGALRM or (not served and _ended_by_startup_probe(terminated, number, settings)):
        return Problem(Reason.LOAD_TIMEOUT, f"Loading took over {settings.load_timeout_seconds} s.", ONCE)
    if number == signal.SIGKILL:
        return _out_of_memory(
            memory_limit, "The process was killed (SIGKILL), as happens when memory runs out."
        )
    return Problem(
        Reason.RUNTIME_CRASHED,
        f"The process ended with {_ending(terminated)}.{_last_word(terminated)}",
        TWICE,
    )


def exit_signal(terminated: Object) -> int | None:
    """The signal that ended the process: said outright, or as 128 + n as shells and containers do."""
    if number := terminated.get("signal"):
        return int(number)
    code = int(terminated.get("exitCode", 0))
    if code < 0:
        return -code
    # The runtime's contract writes its alarm as a bare 14 too.
    return (
        code - 128 if 128 < code < 128 + signal.NSIG else (signal.SIGALRM if code == signal.SIGALRM else None)
    )


def _ended_by_startup_probe(terminated: Object, number: int | None, settings: Settings) -> bool:
    """The kubelet ends a container that does not get past its startup probe with SIGTERM, then SIGKILL."""
    if number not in (signal.SIGTERM, signal.SIGKILL):
        return False
    return _seconds_lived(terminated) >= settings.load_timeout_seconds


def _seconds_lived(terminated: Object) -> float:
    started, finished = terminated.get("startedAt"), terminated.get("finishedAt")
    if not started or not finished:
        return 0.0
    return (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()


def _out_of_memory(limit: str, happened: str) -> Problem:
    return Problem(Reason.OUT_OF_MEMORY, f"{happened} The limit is {_in_words(limit)}.", TWICE)


def _in_words(quantity: str) -> str:
    """A number of bytes, which the API server keeps as it is, tells people little."""
    return f"{int(quantity) // 1024**2}Mi" if quantity.isdigit() else quantity


def _ending(terminated: Object) -> str:
    number = exit_signal(terminated)
    if number is None:
        return f"exit code {terminated.get('exitCode', 0)}"
    known = {each.value for each in signal.Signals}
    return f"signal {number} ({signal.Signals(number).name})" if number in known else f"signal {number}"


def _last_word(terminated: Object) -> str:
    """The end of its log, which the kubelet keeps as the message."""
    lines = [line for line in (terminated.get("message") or "").splitlines() if line.strip()]
    words = log_words(lines[-1]) if lines else ""
    return f" Its last line: {plain_text(words, 300)}" if words else ""


def _last_json_line(message: str) -> dict[str, Any]:
    lines = message.strip().splitlines()
    try:
        said = json.loads(lines[-1]) if lines else {}
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
