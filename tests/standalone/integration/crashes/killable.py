"""`modelport up` as a person starts it: a process of its own, which a test may end in any way."""

import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.standalone.integration.crashes import processes
from tests.standalone.integration.crashes.processes import Child

START_SECONDS = 180
"""Generous: the machine may be busy with other tests."""
_NOTED = 4000
_COMMAND = Path(sys.executable).with_name("modelport")


class KillablePlatform:
    """A data folder of its own and the platform on it, started as often as wanted, on one port.

    Everything that a run writes lies in `home`, which has a short path: sockets are in it.
    """

    def __init__(self, home: Path, data: Path | None = None) -> None:
        self.home = home
        self.data = data or home / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.sockets = home / "run"
        self.scratch = home / "tmp"
        for folder in (self.sockets, self.scratch):
            folder.mkdir(mode=0o700, exist_ok=True)
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self, *arguments: str, **env: str) -> subprocess.Popen[bytes]:
        """Start without waiting. Output is appended to `stdout` and `stderr`."""
        command = [_COMMAND, "up", "--data-dir", self.data, "--port", str(self.port), *arguments]
        with (self.home / "stdout").open("ab") as out, (self.home / "stderr").open("ab") as err:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=self.environment(**env),
                # As a shell starts it: a group of its own in the foreground, which Ctrl-C reaches whole.
                process_group=0,
            )
        return self.process

    def start(self, *arguments: str, **env: str) -> "KillablePlatform":
        self.launch(*arguments, **env)
        return self.wait_until_up()

    def wait_until_up(self) -> "KillablePlatform":
        # One for all looks: each new one reads the machine's certificates, which takes longer than the look.
        with httpx.Client(timeout=START_SECONDS) as client:

            def find_fault() -> str:
                assert self.running.poll() is None, f"ended with {self.running.returncode}:\n{self.stderr}"
                try:
                    response = client.get(f"{self.url}/readyz")
                except httpx.TransportError as error:
                    return repr(error)
                return "" if response.is_success else response.text

            poll(find_fault, "the platform answers")
        return self

    def environment(self, **more: str) -> dict[str, str]:
        unlimited = {f"MODELPORT_LIMIT_{name}": "100000/minute" for name in ("REGISTER", "LOGIN", "UPLOAD")}
        return {
            "PATH": os.defpath,
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.sockets),
            "TMPDIR": str(self.scratch),
            "MODELPORT_LIMIT_PREDICT": "1000000/second",
            **unlimited,
            **more,
        }

    @property
    def running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None, "not started"
        return self.process

    @property
    def stderr(self) -> str:
        """With the log, which is a file of its own."""
        files = (self.home / "stderr", self.data / "logs" / "platform.log")
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    @property
    def stdout(self) -> str:
        return (self.home / "stdout").read_text(errors="replace")

    def children(self) -> list[Child]:
        return processes.children_of(self.running.pid)

    def kill(self) -> list[Child]:
        """SIGKILL, as the kernel does when memory runs out; give the children that it had at that moment."""
        # Stopped first: a child that is started between the look and the kill would not be seen.
        self.running.send_signal(signal.SIGSTOP)
        children = self.children()
        self.running.kill()
        self.running.wait()
        return children

    def stop(self) -> int:
        if self.running.poll() is None:
            self.running.send_signal(signal.SIGTERM)
        return self.running.wait(START_SECONDS)

    def destroy(self) -> None:
        if self.process is not None and self.process.poll() is None:
            children = self.kill()
            for child in children:
                child.kill()


def run_to_end(
    arguments: Sequence[str], env: dict[str, str], wrapper: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """`modelport up` that is expected to end by itself."""
    return subprocess.run(
        [*wrapper, str(_COMMAND), "up", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=env,
        timeout=START_SECONDS,
        check=False,
    )


@contextmanager
def make_home() -> Iterator[Path]:
    """A folder with a short path: a unix socket's address holds about 100 bytes."""
    home = Path(tempfile.mkdtemp(prefix=f"mp-{secrets.token_hex(2)}-", dir="/tmp"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def killable_platform(data: Path | None = None) -> Iterator[KillablePlatform]:
    """A platform that is not started yet, and is gone with all it made at the end."""
    with make_home() as home:
        platform = KillablePlatform(home, data)
        try:
            yield platform
        except BaseException as error:
            # The folder is gone when somebody reads of the failure.
            if platform.process is not None:
                error.add_note(f"exit code {platform.process.poll()}, stderr:\n{platform.stderr[-_NOTED:]}")
            raise
        finally:
            platform.destroy()


def free_port() -> int:
    """Below those that the kernel assigns when any will do: it must be free at every later start."""
    while True:
        port = random.SystemRandom().randrange(15_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port


def poll(find_fault: Callable[[], object], what: str, seconds: float = START_SECONDS) -> None:
    """Look until nothing is amiss; what was amiss last is in the failure. What it raises is final."""
    deadline = time.monotonic() + seconds
    while fault := find_fault():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}; {fault}")
        time.sleep(0.05)
