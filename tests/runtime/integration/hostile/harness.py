"""What a hostile model would like to harm, and the proof that it did not."""

import ctypes
import os
import pickle
import resource
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

_LIBC = ctypes.CDLL(None)
_LIBC.shmat.restype = ctypes.c_void_p
_IPC_PRIVATE, _IPC_RMID = 0, 0


class Segment:
    """System V shared memory that holds a text, for its owner alone."""

    def __init__(self, text: str) -> None:
        self.number: int = _LIBC.shmget(_IPC_PRIVATE, 4096, 0o600)
        self._address = ctypes.c_void_p(_LIBC.shmat(self.number, None, 0))
        ctypes.memmove(self._address, text.encode(), len(text))

    def read(self) -> str:
        return ctypes.string_at(self._address).decode()

    @property
    def exists(self) -> bool:
        """Return whether it can still be attached."""
        again = ctypes.c_void_p(_LIBC.shmat(self.number, None, 0))
        return again.value != ctypes.c_void_p(-1).value and _LIBC.shmdt(again) == 0

    def close(self) -> None:
        _LIBC.shmdt(self._address)
        _LIBC.shmctl(self.number, _IPC_RMID, None)


class Runs:
    """Pickles as a call of `function(*arguments)`, which unpickling makes."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


class Harness:
    """A private file, shared memory, listeners, another process; and `token`, which nobody may learn."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token = f"token-{secrets.token_hex(8)}"
        self.secret = folder / "secret"
        self.secret.write_text(self.token)
        self.secret.chmod(0o600)
        os.utime(self.secret, (1_000_000_000, 1_000_000_000))
        self._names = set(os.listdir(folder)) | {"model", "unix.sock", "datagram.sock"}
        self.tcp = self._listener(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        self.udp = self._listener(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        self.unix = self._listener(socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "unix.sock"))
        self.datagram = self._listener(socket.AF_UNIX, socket.SOCK_DGRAM, str(folder / "datagram.sock"))
        self.abstract = self._listener(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.token}")
        self.segment = Segment(self.token)
        self.neighbor = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
        )

    @staticmethod
    def _listener(family: int, kind: int, address: Any) -> socket.socket:
        listener = socket.socket(family, kind)
        listener.bind(address)
        if kind == socket.SOCK_STREAM:
            listener.listen()
        listener.setblocking(False)
        return listener

    @property
    def places(self) -> dict[str, Any]:
        """What payloads are written with."""
        return {
            "FOLDER": str(self.folder),
            "SECRET": str(self.secret),
            "TCP": self.tcp.getsockname()[1],
            "UDP": self.udp.getsockname()[1],
            "UNIX": str(self.folder / "unix.sock"),
            "DATAGRAM": str(self.folder / "datagram.sock"),
            "ABSTRACT": f"\0{self.token}",
            "SEGMENT": self.segment.number,
            "NEIGHBOR": self.neighbor.pid,
        }

    def infect(self, source: str, **names: Any) -> Path:
        """Write a pickle that runs `source` when it is read."""
        path = self.folder / "model"
        path.write_bytes(pickle.dumps(Runs(exec, source, self.places | names)))
        return path

    def assert_unharmed(self, log: str) -> None:
        """Nothing read, written, reached or touched."""
        assert self.token not in log, "the model learned what it must not"
        assert set(os.listdir(self.folder)) <= self._names, "a file was made"
        stat = self.secret.stat()
        assert (stat.st_mode & 0o777, stat.st_mtime, stat.st_nlink) == (0o600, 1_000_000_000, 1)
        assert self.secret.read_text() == self.token
        for listener in (self.tcp, self.unix, self.abstract):
            self._assert_silent(lambda listener=listener: listener.accept())
        for listener in (self.udp, self.datagram):
            self._assert_silent(lambda listener=listener: listener.recv(1))
        assert self.segment.exists, "another process's shared memory was removed"
        assert self.segment.read() == self.token
        assert self.neighbor.poll() is None, "another process was ended"
        assert os.getpriority(os.PRIO_PROCESS, self.neighbor.pid) == os.getpriority(os.PRIO_PROCESS, 0)
        assert resource.prlimit(self.neighbor.pid, resource.RLIMIT_NOFILE)[0] > 8

    @staticmethod
    def _assert_silent(receive: Any) -> None:
        try:
            received = receive()
        except BlockingIOError:
            return
        raise AssertionError(f"something arrived: {received}")

    def close(self) -> None:
        for one in (self.tcp, self.udp, self.unix, self.datagram, self.abstract):
            one.close()
        self.segment.close()
        self.neighbor.kill()
        self.neighbor.communicate()
