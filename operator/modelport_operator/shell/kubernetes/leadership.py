"""One operator at a time: the one that holds the Lease."""

import asyncio
import socket
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
import structlog
from kubernetes.aio.client import ApiClient, V1Lease, V1ObjectMeta
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.leaderelection.electionconfig import Config
from kubernetes.aio.leaderelection.leaderelection import LeaderElection
from kubernetes.aio.leaderelection.resourcelock.leaselock import LeaseLock

LEASE_NAME = "modelport-operator"

# As Kubernetes' own controllers have them. A leader that cannot renew for RENEW_DEADLINE_SECONDS ends, before
# others may take the Lease, which is LEASE_SECONDS after its last renewal. One that stood still for longer,
# on a busy or paused machine, has not tried: it may, until others may take the Lease.
LEASE_SECONDS = 15
RENEW_DEADLINE_SECONDS = 10
RETRY_SECONDS = 2
_CALL_SECONDS = 4.0

_log = structlog.get_logger()
Result = TypeVar("Result")


class LeadershipLost(Exception):
    """Another one leads, or may: stop writing now."""


class Leadership:
    """`acquire`, then `keep` while leading, then `release`."""

    def __init__(self, client: ApiClient, namespace: str, *, identity: str | None = None) -> None:
        self.identity = identity or f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}"
        self._lock = _PatientLock(LEASE_NAME, namespace, self.identity, client)
        self._election = LeaderElection(
            Config(self._lock, LEASE_SECONDS, RENEW_DEADLINE_SECONDS, RETRY_SECONDS, _nothing, _nothing)
        )

    async def acquire(self) -> None:
        """Return when this process leads."""
        await self._election.acquire()

    async def keep(self) -> None:
        """Renew forever. Raises `LeadershipLost`."""
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            began = time.monotonic()
            if await self._renew_before(renewed + RENEW_DEADLINE_SECONDS):
                renewed = began

    async def release(self) -> None:
        """Let the next one lead at once."""
        held, record = await self._lock.get(self._lock.name, self._lock.namespace)
        if held and getattr(record, "holder_identity", None) == self.identity:
            await self._lock.give_up()

    async def _renew_before(self, deadline: float) -> bool:
        stood_still = time.monotonic() >= deadline
        latest = deadline + (LEASE_SECONDS - RENEW_DEADLINE_SECONDS if stood_still else 0)
        try:
            async with asyncio.timeout(latest - time.monotonic()):
                renewed = await self._election.try_acquire_or_renew()
        except TimeoutError:
            renewed = False
        holder = getattr(self._election.observed_record, "holder_identity", None)
        if holder != self.identity:
            raise LeadershipLost(f"The Lease is held by {holder}.")
        if not renewed and time.monotonic() >= deadline:
            raise LeadershipLost(f"The Lease could not be renewed for {RENEW_DEADLINE_SECONDS} s.")
        return bool(renewed)


class _PatientLock(LeaseLock):
    """A LeaseLock to which an API server that is away, or silent, is one failed try: the library's own would
    raise, or wait forever and lead on."""

    async def get(self, name: str, namespace: str) -> Any:
        return await _within_timeout(super().get(name, namespace), on_failure=_failed)

    async def create(self, name: str, namespace: str, election_record: Any) -> bool:
        return await _within_timeout(self._create(name, namespace, election_record), on_failure=_no)

    async def update(self, name: str, namespace: str, updated_record: Any) -> bool:
        return await _within_timeout(super().update(name, namespace, updated_record), on_failure=_no)

    async def _create(self, name: str, namespace: str, election_record: Any) -> bool:
        # The library's own passes a bool where its client wants text, and so never makes the Lease.
        spec = self.update_lease(election_record)
        lease = V1Lease(metadata=V1ObjectMeta(name=name), spec=spec)
        await self.api_instance.create_namespaced_lease(namespace, lease)
        return True

    async def give_up(self) -> None:
        """Only after a `get`: replacing what it found fails if another one took the Lease since."""
        lease: Any = self.lease_reference
        lease.spec.holder_identity = ""
        await _within_timeout(
            self.api_instance.replace_namespaced_lease(self.name, self.namespace, lease), on_failure=_no
        )


async def _within_timeout(call: Awaitable[Result], *, on_failure: Callable[[Exception], Result]) -> Result:
    try:
        async with asyncio.timeout(_CALL_SECONDS):
            return await call
    except (ApiException, aiohttp.ClientError, OSError, TimeoutError) as error:
        _log.warning("lease_unreachable", error=repr(error))
        return on_failure(error)


def _failed(error: Exception) -> Any:
    return False, ApiException(reason=repr(error))


def _no(_error: Exception) -> Any:
    return False


async def _nothing() -> None:
    """`LeaderElection.run` would call it; here the process itself says what follows."""
