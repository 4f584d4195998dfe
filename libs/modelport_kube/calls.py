"""One call of the Kubernetes API: JSON in and out, and its refusals as the `Kube` interface names them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp
import msgspec
from kubernetes.aio.client import ApiClient

from modelport_kube.kube import Conflict, KubeError, Object, Rejected

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

_SECONDS = 30.0
_REJECTED = {400, 413, 422}
_CONFLICT = 409
_NOT_FOUND = 404

Query = Mapping[str, str | int | bool]


class Call(NamedTuple):
    method: str
    path: str
    query: Query | None = None
    body: Any = None
    content_type: str = JSON
    accept: str = JSON

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Calls:
    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def object(self, call: Call) -> Object | None:
        """The answer; None where there is nothing at the path. Raises `KubeError`."""
        raw = await self.body(call)
        return None if raw is None else msgspec.json.decode(raw, type=dict[str, Any])

    async def body(self, call: Call) -> bytes | None:
        try:
            response = await self.open(call, timeout=_SECONDS)
            try:
                raw = await response.read()
            finally:
                response.release()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise KubeError(f"{call}: {error!r}") from error
        if response.status == _NOT_FOUND:
            return None
        if response.status >= 400:
            raise refusal(response.status, str(call), raw)
        return raw

    async def open(
        self,
        call: Call,
        *,
        timeout: float | aiohttp.ClientTimeout,  # noqa: ASYNC109 - the client's own, as it is handed on
    ) -> aiohttp.ClientResponse:
        """The answer, unread."""
        serialized = await self._client.param_serialize(
            call.method,
            call.path,
            query_params=[(key, str(value)) for key, value in (call.query or {}).items()],
            header_params={"Accept": call.accept, "Content-Type": call.content_type},
            body=call.body,
            auth_settings=["BearerToken"],
        )
        answer = await self._client.call_api(*serialized, _request_timeout=timeout)
        response: aiohttp.ClientResponse = answer.response
        return response


def refusal(status: int, what: str, raw: bytes) -> KubeError:
    kind = Rejected if status in _REJECTED else Conflict if status == _CONFLICT else KubeError
    return kind(f"{what}: {status} {_message(raw)}")


def _message(raw: bytes) -> str:
    try:
        said = msgspec.json.decode(raw, type=dict[str, Any]).get("message")
    except msgspec.DecodeError:
        said = None
    return str(said or raw[:200].decode(errors="replace"))
