#!/usr/bin/env bash
# tritonclient 2.73.0: the same request, with its tensor as JSON, has no Content-Type from tritonclient.http, and
# "application/octet-stream" from tritonclient.http.aio (aiohttp calls every body of bytes so). Neither says
# application/json, and only the header Inference-Header-Content-Length, which a JSON body lacks, tells binary bodies
# apart. A server that goes by the type refuses one of both clients.
# Seen: http None, aio application/octet-stream; both bodies are the same JSON, without Inference-Header-Content-Length.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check "tritonclient[http]==2.73.0"
"$folder/env/bin/python" - <<'PYTHON'
import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import tritonclient.http
import tritonclient.http.aio

seen = []
ANSWER = json.dumps({"model_name": "m", "outputs": [{"name": "y", "shape": [1], "datatype": "FP32", "data": [1]}]})


class Server(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind, header = self.headers.get("Content-Type"), self.headers.get("Inference-Header-Content-Length")
        seen.append((kind, header, json.loads(body)["inputs"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER.encode())

    def log_message(self, *_: object) -> None:
        """Nothing: the figures are printed below."""


def tensor(of: object) -> object:
    made = of.InferInput("x", [1, 2], "FP32")
    made.set_data_from_numpy(np.ones((1, 2), np.float32), binary_data=False)
    return made


async def ask(address: str) -> None:
    client = tritonclient.http.aio.InferenceServerClient(address)
    await client.infer("m", [tensor(tritonclient.http.aio)])
    await client.close()


server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"127.0.0.1:{server.server_port}"
tritonclient.http.InferenceServerClient(address).infer("m", [tensor(tritonclient.http)])
asyncio.run(ask(address))
print("http", seen[0][:2], "aio", seen[1][:2])
assert [each[:2] for each in seen] == [(None, None), ("application/octet-stream", None)], seen
assert seen[0][2] == seen[1][2]
PYTHON
