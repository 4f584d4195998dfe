"""A real HTTP server that answers what a test tells it, and keeps what it was asked."""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")


@dataclass
class Answer:
    """`cut`: close the connection instead of answering."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


Rule = Answer | Callable[[Asked], Answer]


def problem(status: int, detail: str, **more: Any) -> Answer:
    headers = more.pop("headers", {})
    body = {
        "type": "about:blank",
        "title": "T",
        "status": status,
        "detail": detail,
        "request_id": "r-9",
        **more,
    }
    return Answer(status, body, headers)


class Platform:
    """`on("GET /path", first, second)`: the last rule stays. What has no rule is answered 599."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._rules: dict[str, deque[Rule]] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler_class())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def on(self, call: str, *rules: Rule) -> None:
        self._rules[call] = deque(rules)

    def calls(self, call: str) -> list[Asked]:
        return [asked for asked in self.asked if f"{asked.method} {asked.path.partition('?')[0]}" == call]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _respond(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            rules = self._rules.get(f"{asked.method} {asked.path.partition('?')[0]}")
            if not rules:
                return problem(599, f"the test has no rule for {asked.method} {asked.path}")
            rule = rules[0] if len(rules) == 1 else rules.popleft()
        return rule(asked) if callable(rule) else rule

    def _handler_class(self) -> type[BaseHTTPRequestHandler]:
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_call(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                response = platform._respond(Asked(self.command, self.path, self.headers, body))
                if response.cut:
                    self.close_connection = True
                    return
                content = (
                    response.body if isinstance(response.body, bytes) else json.dumps(response.body).encode()
                )
                content = b"" if response.status == 204 else content
                self.send_response(response.status)
                for name, value in {"Content-Length": str(len(content)), **response.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one_call

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet: stderr is what the tests of the CLI look at."""

        return Handler
