"""Control API and gateways as processes of this machine, on a real cluster, PostgreSQL and Redis."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


@dataclass
class Process:
    url: str
    running: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        self.running.terminate()
        return self.running.wait(60)

    def kill(self) -> None:
        self.running.kill()
        self.running.wait()

    def rss_mib(self) -> int:
        pages = int(Path(f"/proc/{self.running.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def start(module: str, *arguments: str, url: str, environment: Mapping[str, str], log: Path) -> Process:
    """Return when it is ready."""
    whole = {"PATH": os.environ["PATH"], **environment}
    with log.open("ab") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], env=whole, stdout=output, stderr=output
        )
    process = Process(url, running, log)
    _wait_until_ready(process)
    return process


def _wait_until_ready(process: Process) -> None:
    deadline = time.monotonic() + 240
    while True:
        try:
            if httpx.get(f"{process.url}/readyz", timeout=30).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if process.running.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"{process.url} is not ready:\n{process.log.read_text()[-4000:]}")
        time.sleep(0.05)
