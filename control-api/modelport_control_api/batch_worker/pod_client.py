"""The pods of one version that a worker calls, and which is called next."""

import asyncio
import struct
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import orjson
import structlog
from modelport_http.wording import counted
from modelport_process.backoff import Backoff
from prometheus_client import Counter

from modelport_control_api.batch.storage.chunks import MAX_ROWS
from modelport_control_api.batch_worker.error_rows import PredictResult, Rejected, is_too_much, read_reply

log = structlog.get_logger(__name__)
REQUESTS = Counter("modelport_worker_requests_total", "Requests to pods that do batch jobs", ["status"])
DEATHS = Counter(
    "modelport_worker_lost_requests_total", "Requests to pods whose process ended before they had responded"
)

_JSON = "application/json"
# As docs/contracts.md has it.
_MATRIX = "application/vnd.modelport.matrix"
_MATRIX_HEAD = struct.Struct("<4sIII")
_PREDICTION, _BOTH = 1, 3
_CONNECT_SECONDS = 5.0
_WRITE_SECONDS = 60.0
_MAX_RESPONSE_BYTES = 16 << 20
_NOT_NOW = {429, 502, 503}
_PAUSE_SECONDS = 0.5
_MOST_PAUSE_SECONDS = 10.0
# Alone at a pod, the rows are to blame; before a row is given up, the pod may have ended by chance once.
_DEATHS_OF_ONE_ROW = 2


class _Unreachable(Exception):
    """Nothing of the request was taken."""


class _Lost(Exception):
    """The connection broke before the response: the process has ended, or is about to."""


class _TooSlow(Exception):
    pass


class _TooLong(Exception):
    pass


@dataclass(eq=False, slots=True)
class _Pod:
    client: httpx.AsyncClient
    in_flight: int = 0
    is_alone: bool = False
    """One request has it to itself."""
    is_leaving: bool = False

    async def close_if_idle(self) -> None:
        if self.is_leaving and self.in_flight == 0:
            await self.client.aclose()


class Pods:
    """`predict` waits for as long as no pod is ready; whether that is too long is the caller's business."""

    def __init__(self, requests_per_pod: int, request_seconds: float) -> None:
        self._requests_per_pod = requests_per_pod
        self._request_seconds = request_seconds
        self._pods: dict[str, _Pod] = {}
        self._changed = asyncio.Condition()
        self.most_explained_rows = MAX_ROWS
        """Of one request, as far as was learned: to explain a row may take more than to predict thousands."""

    @property
    def places(self) -> int:
        """How many requests may be in flight together."""
        return self._requests_per_pod * len(self._pods)

    async def update(self, addresses: Collection[str]) -> None:
        """Call these from now on. What is in flight at others goes on."""
        async with self._changed:
            for address in self._pods.keys() - set(addresses):
                leaving = self._pods.pop(address)
                leaving.is_leaving = True
                await leaving.close_if_idle()
            for address in sorted(set(addresses) - self._pods.keys()):
                self._pods[address] = _Pod(_open(address, self._request_seconds))
            self._changed.notify_all()

    async def aclose(self) -> None:
        await self.update(())

    def pod_client(self, *, probabilities: bool, contributions: bool = False) -> "PodClient":
        return PodClient(self, probabilities=probabilities, contributions=contributions)

    @asynccontextmanager
    async def place(self, *, alone: bool) -> AsyncIterator[httpx.AsyncClient]:
        """A place at the pod with the fewest requests; with `alone`, at one that has no other meanwhile."""
        async with self._changed:
            while (pod := self._free(alone=alone)) is None:
                await self._changed.wait()
            pod.in_flight += 1
            pod.is_alone = alone
        try:
            yield pod.client
        finally:
            async with self._changed:
                pod.in_flight -= 1
                pod.is_alone = False
                await pod.close_if_idle()
                self._changed.notify_all()

    def _free(self, *, alone: bool) -> _Pod | None:
        most = 1 if alone else self._requests_per_pod
        free = (pod for pod in self._pods.values() if not pod.is_alone and pod.in_flight < most)
        return min(free, key=lambda pod: pod.in_flight, default=None)


class PodClient:
    """Predicts the rows of one chunk. Once a pod was lost with them, they are sent alone: of several
    requests at a pod that ends, only one is to blame."""

    def __init__(self, pods: Pods, *, probabilities: bool, contributions: bool) -> None:
        self._pods = pods
        self._probabilities = probabilities
        self._contributions = contributions
        self._is_suspect = False

    async def predict(self, inputs: bytes, rows: int) -> PredictResult:
        """Predict the rows, whatever becomes of pods meanwhile."""
        names = ["probabilities"] * self._probabilities + ["contributions"] * self._contributions
        wanted = b',"return":' + orjson.dumps(["prediction", *names]) if names else b""
        return await self._predict(b'{"inputs":' + inputs + wanted + b"}", _JSON, rows)

    async def predict_matrix(self, numbers: bytes, rows: int, columns: int) -> PredictResult:
        """As `predict`, with the numbers of `Chunk.inputs`. Not every model takes these."""
        head = _MATRIX_HEAD.pack(b"MPM1", _BOTH if self._probabilities else _PREDICTION, rows, columns)
        return await self._predict(head + numbers, _MATRIX, rows)

    async def _predict(self, body: bytes, content_type: str, rows: int) -> PredictResult:
        deaths, backoff = 0, Backoff(_PAUSE_SECONDS, _MOST_PAUSE_SECONDS)
        while True:
            try:
                async with self._pods.place(alone=self._is_suspect) as client:
                    status, response = await _post(client, body, content_type)
                REQUESTS.labels(str(status)).inc()
                if status not in _NOT_NOW:
                    return self._read(status, response, rows)
            except _TooSlow:
                return Rejected(f"The model took longer than it may for {_rows_text(rows)}.")
            except _TooLong:
                self._learn_most(rows)
                most = counted(_MAX_RESPONSE_BYTES, "byte")
                return Rejected(f"The response to {_rows_text(rows)} is longer than {most}.")
            except _Lost:
                DEATHS.inc()
                deaths += self._is_suspect
                if deaths >= (1 if rows > 1 else _DEATHS_OF_ONE_ROW):
                    return Rejected("The model's process ended while it predicted this row.")
                self._is_suspect = True
            except _Unreachable:
                log.debug("pod_unreachable")
            await asyncio.sleep(backoff.next_delay())

    def _read(self, status: int, response: bytes, rows: int) -> PredictResult:
        if is_too_much(status, response):
            self._learn_most(rows)
        return read_reply(
            status,
            response,
            rows,
            probabilities=self._probabilities,
            contributions=self._contributions,
        )

    def _learn_most(self, rows: int) -> None:
        """Send fewer from now on, where contributions are wanted."""
        if self._contributions and rows > 1:
            self._pods.most_explained_rows = min(self._pods.most_explained_rows, (rows + 1) // 2)


def _rows_text(rows: int) -> str:
    return "this row" if rows == 1 else counted(rows, "row")


def _open(address: str, request_seconds: float) -> httpx.AsyncClient:
    socket = address.removeprefix("unix:") if address.startswith("unix:") else None
    timeout = httpx.Timeout(request_seconds, connect=_CONNECT_SECONDS, write=_WRITE_SECONDS, pool=None)
    return httpx.AsyncClient(
        # Pods have no TLS; to read the trusted certificates would take 20 ms a connection.
        transport=httpx.AsyncHTTPTransport(uds=socket, verify=False),
        base_url="http://pod" if socket else f"http://{address}",
        headers={"Accept-Encoding": "identity"},
        timeout=timeout,
        trust_env=False,
    )


async def _post(client: httpx.AsyncClient, body: bytes, content_type: str) -> tuple[int, bytes]:
    try:
        headers = {"Content-Type": content_type}
        async with client.stream("POST", "/predict", content=body, headers=headers) as response:
            return response.status_code, await _read(response)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise _Unreachable from error
    except httpx.ReadTimeout as error:
        raise _TooSlow from error
    except httpx.TransportError as error:
        raise _Lost from error


async def _read(response: httpx.Response) -> bytes:
    received = bytearray()
    # Raw: whatever encoding it claims is not undone.
    async for piece in response.aiter_raw():
        received += piece
        if len(received) > _MAX_RESPONSE_BYTES:
            raise _TooLong
    return bytes(received)
