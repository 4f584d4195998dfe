"""One container as a process of this machine: clean environment, own session, output to the version's log."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from modelport_kube.kube import Object

from modelport_standalone.local_cluster.local_paths import PodPaths, environment_of
from modelport_standalone.local_cluster.orphans import ChildRegister
from modelport_standalone.local_cluster.version_log import VersionLog

_CHUNK_BYTES = 64 << 10
_LAST_WORDS_BYTES = 4096
# A flooding process is held up by its full pipe: reading it at full speed would take a whole core.
_FLOOD_PAUSE_SECONDS = 0.02
_OUTPUT_AFTER_END_SECONDS = 1.0


@dataclass(frozen=True)
class Ending:
    """`code` as a shell has it: 128 + the signal's number for a process that a signal ended."""

    code: int
    signal: int | None
    last_line: str


class ContainerProcess:
    """A running container. Its process group is its own, so what it started goes with it."""

    def __init__(self, process: asyncio.subprocess.Process, log: VersionLog, register: ChildRegister) -> None:
        self.pid = process.pid
        self._process = process
        self._log = log
        self._register = register
        self._last_words = b""
        self._readers = [
            asyncio.create_task(self._read(stream, is_stderr))
            for stream, is_stderr in ((process.stdout, False), (process.stderr, True))
            if stream is not None
        ]

    @classmethod
    async def start(
        cls,
        container: Object,
        variables: Mapping[str, str],
        paths: PodPaths,
        log: VersionLog,
        register: ChildRegister,
    ) -> Self:
        """variables: what the image brings, under the container's own. Raises OSError."""
        words = [*container.get("command", []), *container.get("args", [])]
        command = [paths.localize(container, word) for word in words]
        process = await asyncio.create_subprocess_exec(
            *_with_our_python(command),
            env=_environment(container, variables, paths),
            cwd=paths.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            close_fds=True,
        )
        register.add(process.pid)
        return cls(process, log, register)

    async def wait(self) -> Ending:
        """Wait for its end, take what it started down with it, and give its last line on stderr."""
        returned = await self._process.wait()
        self.send(signal.SIGKILL)
        _, late = await asyncio.wait(self._readers, timeout=_OUTPUT_AFTER_END_SECONDS)
        for reader in late:
            reader.cancel()
        self._register.remove(self.pid)
        number = -returned if returned < 0 else None
        return Ending(128 + number if number else returned, number, _last_line(self._last_words))

    def send(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # Nobody of the group is left.

    async def stop(self, grace_seconds: float) -> None:
        """SIGTERM, then SIGKILL after the grace. Callers of `wait` see its end."""
        self.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_seconds):
                await self._process.wait()
        except TimeoutError:
            self._log.note(f"killed: it did not stop within {grace_seconds:.0f} s of SIGTERM")
            self.send(signal.SIGKILL)
            await self._process.wait()

    async def _read(self, stream: asyncio.StreamReader, is_stderr: bool) -> None:
        while data := await stream.read(_CHUNK_BYTES):
            if is_stderr:
                self._last_words = (self._last_words + data)[-_LAST_WORDS_BYTES:]
            if not self._log.write(data):
                await asyncio.sleep(_FLOOD_PAUSE_SECONDS)


def _with_our_python(command: list[str]) -> list[str]:
    return [sys.executable, *command[1:]] if command[0] == "python" else command


def _environment(container: Object, variables: Mapping[str, str], paths: PodPaths) -> dict[str, str]:
    """What image and template set, never the platform's own, which may hold secrets."""
    given = {name: paths.localize(container, value) for name, value in environment_of(container).items()}
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        **variables,
        **given,
        "MODELPORT_RUNTIME_PARENT_PID": str(os.getpid()),
    }


def _last_line(text: bytes) -> str:
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
