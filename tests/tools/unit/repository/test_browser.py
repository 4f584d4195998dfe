"""The browser of the tests."""

import errno
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.without_netlink import launcher

_OPEN = """
import socket, sys
socket.create_connection((sys.argv[1], int(sys.argv[2]))).close()
try:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)
except OSError as error:
    print(error.errno)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Chromium hears of networks by netlink on Linux only.")
def test_it_connects_and_hears_of_no_change_of_network(tmp_path: Path) -> None:
    start = launcher(sys.executable, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        done = subprocess.run([start, "-c", _OPEN, host, str(port)], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == (str(errno.EAFNOSUPPORT), "")
