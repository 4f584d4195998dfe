"""One call of the Kubernetes API: where a kind lies, JSON in and out, and refusals as the `Kube`
interface has them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp
import msgspec
from kubernetes.aio.client import ApiClient
from modelport_crds.names import KIND, PLURAL

from modelport_kube.kube import RESOURCES, Conflict, KubeError, Object, Rejected

_PLURALS = {KIND: PLURAL, "NetworkPolicy": "networkpolicies"}


def collection_path(kind: str, namespace: str | None) -> str:
    """`kind` is a key of `RESOURCES`; namespace None: all of them."""
    api_version = RESOURCES[kind]
    root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    scope = f"/namespaces/{namespace}" if namespace is not None else ""
    return f"{root}{scope}/{_PLURALS.get(kind, f'{kind.lower()}s')}"


def object_path(kind: str, namespace: str, name: str) -> str:
    """Return the path of one object; `kind` is a key of `RESOURCES`. Names are not quoted."""
    return f"{collection_path(kind, namespace)}/{name}"


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
        """The response; None where there is nothing at the path. Raises `KubeError`."""
        raw = await self.body(call)
        return None if raw is None else msgspec.json.decode(raw, type=dict[str, Any])

    async def body(self, call: Call) -> bytes | None:
        """Return the response, read whole; None where there is nothing at the path.

        Raises `Rejected` (400, 413, 422), `Conflict` (409), or `KubeError` for other failures.
        """
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
        """The response, unread."""
        serialized = await self._client.param_serialize(
            call.method,
            call.path,
            query_params=[(key, str(value)) for key, value in (call.query or {}).items()],
            header_params={"Accept": call.accept, "Content-Type": call.content_type},
            body=call.body,
            auth_settings=["BearerToken"],
        )
        wrapped = await self._client.call_api(*serialized, _request_timeout=timeout)
        response: aiohttp.ClientResponse = wrapped.response
        return response


def refusal(status: int, what: str, raw: bytes) -> KubeError:
    """Return the error of a response: `Rejected`, `Conflict`, or any other `KubeError`."""
    kind = Rejected if status in _REJECTED else Conflict if status == _CONFLICT else KubeError
    return kind(f"{what}: {status} {_message(raw)}")


def _message(raw: bytes) -> str:
    try:
        message = msgspec.json.decode(raw, type=dict[str, Any]).get("message")
    except msgspec.DecodeError:
        message = None
    return str(message or raw[:200].decode(errors="replace"))
