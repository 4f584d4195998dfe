"""One signed message to one address: no redirects, no proxies, and nothing of the response but its status."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

import httpcore
from modelport_http.client_address import Network
from modelport_http.wording import counted

from modelport_control_api.alerts.signing import signature
from modelport_control_api.network.addresses import Forbidden
from modelport_control_api.network.checked import UNREACHABLE, CheckedNetwork, Resolve, resolve

_TOTAL_SECONDS = 15.0


class NotTaken(Exception):
    """The receiver did not take the message. `status`: what it answered, if it did."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

    @property
    def for_good(self) -> bool:
        """Whether it wants no message any more."""
        return self.status == 410


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message goes, and what signs it: the secret, and for a while the one before."""

    url: str
    secrets: Sequence[str]


@dataclass
class Sender:
    """`allowed`: networks that may be called beside the public internet. `tls`: None for the usual one."""

    allowed: Sequence[Network] = ()
    resolve: Resolve = resolve
    total_seconds: float = _TOTAL_SECONDS
    tls: ssl.SSLContext | None = None

    async def send(self, target: Target, message_id: str, timestamp: int, body: bytes) -> int:
        """Return the status that the receiver took it with. Raises `NotTaken`."""
        signatures = (signature(secret, message_id, timestamp, body) for secret in target.secrets)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Modelport-Webhooks/1",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signatures),
        }
        try:
            async with asyncio.timeout(self.total_seconds):
                status = await self._post(target.url, headers, body)
        except TimeoutError:
            raise NotTaken(f"No response within {counted(self.total_seconds, 'second')}.") from None
        except Forbidden as error:
            raise NotTaken(str(error)) from error
        except UNREACHABLE as error:
            raise NotTaken(f"It cannot be reached: {str(error)[:200] or type(error).__name__}.") from error
        if not 200 <= status < 300:
            raise NotTaken(f"It answered with status {status}.", status)
        return status

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        backend = CheckedNetwork(self.allowed, self.resolve)
        header_list = [*headers.items()]
        # The response's body stays where it is.
        async with (
            httpcore.AsyncConnectionPool(ssl_context=self.tls, network_backend=backend) as pool,
            pool.stream("POST", url, headers=header_list, content=body) as response,
        ):
            return response.status
