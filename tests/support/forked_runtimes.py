"""Runtimes that start in a tenth of the time: forks of one that has imported its libraries."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from modelport_runtime.process.environment import clean_environment

_START_SECONDS = 240
"""Generous: the machine may be busy with other tests."""


class ForkedProcess:
    """As much of `subprocess.Popen` as is used of it, for a process whose parent tells of it by a socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("r")
        self.pid = int(self._lines.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        with suppress(TimeoutError):
            self.wait(0.001)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status, negative for a signal. Raises TimeoutError."""
        if self.returncode is None:
            self._connection.settimeout(timeout)
            # Not by `_lines`: a file can no longer be read after a time-out. The response is one short line.
            self.returncode = int(self._connection.recv(16))
            self._lines.close()
            self._connection.close()
        return self.returncode

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class RuntimeForks:
    """The process that forks. `launch` is for `start_runtime`."""

    def __init__(self, address: Path) -> None:
        self._address = address
        command = [sys.executable, "-I", str(Path(__file__).with_name("runtime_forks.py"))]
        self._process = subprocess.Popen(
            [*command, str(address), str(os.getpid())],
            env=clean_environment({"PATH": os.defpath}),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def launch(self, environment: dict[str, str], log: Path) -> ForkedProcess:
        log.touch()
        connection = self._connect()
        connection.sendall(json.dumps({"environment": environment, "log": str(log)}).encode() + b"\n")
        return ForkedProcess(connection)

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self._address))
            except OSError:
                connection.close()
                assert self._process.poll() is None, "it ended; its own words are above"
                assert time.monotonic() < deadline, "it does not listen"
                time.sleep(0.02)
            else:
                return connection

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def running_forks() -> Iterator[RuntimeForks]:
    # Not tmp_path: a unix socket's path may have 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="forks-") as folder:
        forks = RuntimeForks(Path(folder) / "forks.sock")
        try:
            yield forks
        finally:
            forks.kill()
