"""A model process whose libraries are its user's own: it gives up its rights before it imports any of them.

Until then it has what the runtime brings along, and no NumPy. Python's `site` never sees the folder: it
would run what a package puts into `.pth` files, and modules of certain names, at every start.
"""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from modelport_runtime import wire
from modelport_runtime.process.starvation import arm
from modelport_runtime.sandbox import allowed, enter, refusals
from modelport_runtime.sandbox.enter import SandboxReport
from modelport_runtime.settings import Settings
from modelport_runtime.worker.frameworks import frameworks_of

_FULL = 2


def run(settings: Settings, packages: Path, connection: socket.socket, line: socket.socket) -> None:
    """Be the model process until the server process closes the connection. line: as `process.run` has it."""
    arm(settings.load_timeout_seconds)
    end = refusals.ModelsEnd(line)
    confined = allowed.of_a_model(frameworks_of(settings), settings.artifact, packages)
    memory = settings.memory_bytes + _of_large_libraries(packages)
    report = enter.enter(confined, memory, end.hand_over)
    connection.sendall(wire.frame(wire.Sandboxed(report.level, report.detail)))
    if report.level < _FULL and not settings.allow_unsandboxed:
        _refuse(report, connection)
        return
    # Behind what the runtime brings along, which the model's own must not replace.
    sys.path.append(str(packages))
    from modelport_runtime.worker import process

    process.load_and_predict(settings, report, connection, end.refused)


def _of_large_libraries(packages: Path) -> int:
    """Bytes that they may map of themselves, as `enter.limit_memory` counts those that are mapped already."""
    return max(0, sum(_sizes(packages)) - enter.USUAL_FILES)


def _sizes(packages: Path) -> Iterator[int]:
    for folder, _, names in os.walk(packages):
        yield from (Path(folder, name).lstat().st_size for name in names if ".so" in name)


def _refuse(report: SandboxReport, connection: socket.socket) -> None:
    message = f"A model's own requirements are code, and this machine cannot isolate it ({report.detail})."
    document = wire.LoadReport(state="failed", reason="SandboxUnavailable", message=message)
    connection.sendall(wire.frame(wire.Loaded(msgspec.json.encode(document), 0.0, proves=False)))
    # The server process, which goes on to report it, would take an end of this one for a crash.
    while connection.recv(1):
        pass
