"""A pod's process for tests: answers probes over its socket. What it does is set by its environment."""

import http.server
import os
import signal
import socketserver
import sys
import time
from typing import Any


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        refused = os.environ.get("REFUSE", "")
        self.send_response(503 if refused and refused in self.path else 200)
        body = os.environ.get("SAY", "").encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "socket"

    def log_message(self, *_: Any) -> None:
        """Quiet: the tests read this process' output."""


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


def hold(megabytes: int) -> None:
    """Half of it in a child, as a runtime's model has its own process; what both have counts once."""
    held = bytearray(b"x") * (megabytes << 19)
    if os.fork() == 0:
        own = bytearray(b"x") * (megabytes << 19)
        time.sleep(600)
        os._exit(len(held) + len(own))


def main() -> None:
    print("hello from", os.getpid(), sorted(os.environ), flush=True)
    if os.environ.get("IGNORE_TERM"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if flood := int(os.environ.get("FLOOD_BYTES", "0")):
        sys.stdout.write("x" * 99 + "\n" + ("y" * 99 + "\n") * (flood // 100))
        sys.stdout.flush()
    if code := os.environ.get("EXIT"):
        print("last words", file=sys.stderr)
        sys.exit(int(code))
    if megabytes := int(os.environ.get("HOLD_MEGABYTES", "0")):
        hold(megabytes)
    time.sleep(float(os.environ.get("DELAY", "0")))
    with Server(os.environ["LISTEN"].removeprefix("unix:"), Handler) as server:  # type: ignore[arg-type]  # a path is what a unix socket's address is
        server.serve_forever()


main()
