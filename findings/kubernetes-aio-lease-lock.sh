#!/usr/bin/env bash
# kubernetes 37.0.2: LeaseLock.create of kubernetes.aio never makes a Lease. It passes `pretty=True`; the call validates
# its arguments and wants text: pydantic raises ValidationError, which `create` does not handle, and nothing is sent.
# The LeaseLock of the client without asyncio does send it.
# Seen: ValidationError (pretty: Input should be a valid string), 0 requests of kubernetes.aio; 1 request of kubernetes.
# Exits 1 if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "kubernetes==37.0.2" "aiohttp==3.14.5" "pydantic==2.14.3"
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

from kubernetes import aio, client
from kubernetes.aio.leaderelection.leaderelectionrecord import LeaderElectionRecord as AioRecord
from kubernetes.aio.leaderelection.resourcelock.leaselock import LeaseLock as AioLeaseLock
from kubernetes.leaderelection.leaderelectionrecord import LeaderElectionRecord
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock
from pydantic import ValidationError

created = []


class ApiServer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        created.append(self.path)
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


async def create_with_aio(host: str) -> str:
    now = str(datetime.now())
    async with aio.client.ApiClient(aio.client.Configuration(host=host)) as api:
        lock = AioLeaseLock("lock", "default", "me", api)
        try:
            return str(await lock.create("lock", "default", AioRecord("me", "15", now, now)))
        except ValidationError as error:
            return f"ValidationError: {error.errors()[0]['loc']}"


server = HTTPServer(("127.0.0.1", 0), ApiServer)
threading.Thread(target=server.serve_forever, daemon=True).start()
host = f"http://127.0.0.1:{server.server_port}"

outcome = asyncio.run(create_with_aio(host))
print("kubernetes.aio:", outcome, "-", len(created), "requests")
assert outcome == "ValidationError: ('pretty',)" and not created

client.Configuration.set_default(client.Configuration(host=host))
now = str(datetime.now())
made = LeaseLock("lock", "default", "me").create("lock", "default", LeaderElectionRecord("me", "15", now, now))
print("kubernetes:", made, "-", len(created), "requests", created)
assert made and len(created) == 1
PYTHON
