"""A model's replica on this machine: answers every prediction with its own name."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.e2e.servers.stage import own_address


class Replica:
    def __init__(self, name: str) -> None:
        replica = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                replica.answered += 1
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = json.dumps({"prediction": name}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                return

        self.answered = 0
        self._server = ThreadingHTTPServer((own_address(), 0), Handler)
        self._server.daemon_threads = True
        self.address = f"{own_address()}:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator["Replica"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()
