"""API keys: the control API knows whose a key is. Only the key's SHA-256 leaves this process."""

import re
import time
from datetime import datetime
from functools import cached_property
from hashlib import sha256

import httpx
import msgspec
import structlog
from modelport_store.store import Store, StoreUnavailable, mark_of
from msgspec import Struct

from modelport_gateway.auth.access_tokens import CredentialUncheckable, InvalidCredential
from modelport_gateway.auth.authorization import Caller
from modelport_gateway.auth.ttl_cache import TTLCache
from modelport_gateway.concurrency.single_flight import SingleFlight
from modelport_gateway.metrics import FALLBACKS

log = structlog.get_logger(__name__)

KEY_PREFIX = "mlp_live_"
_KEY = re.compile(r"mlp_live_[A-Za-z0-9_-]{43}")
_PATH = "/internal/v1/introspect"
# How long a revoked key may go on, hence also how long one response is believed without another query.
_BELIEVED_SECONDS = 5.0
_REMEMBERED_KEYS = 10_000
# Apart from the good ones: a client that tries many must not push those out.
_REMEMBERED_REFUSALS = 1_000
# After a failure known keys are not held up by another try for so long.
_AWAY_SECONDS = 2.0
_INVALID = "The API key is unknown, revoked or expired; create or rotate one."


class Introspection(Struct, frozen=True, dict=True):
    """The control API's word on one key, as docs/contracts.md has it."""

    active: bool
    key_id: str = ""
    user_id: str = ""
    scopes: tuple[str, ...] = ()
    model_ids: tuple[str, ...] | None = None
    expires_at: datetime | None = None

    def caller(self) -> Caller | None:
        """Whose key it is; None when it is not (or no longer) good."""
        expired = self.expires_at is not None and self.expires_at.timestamp() <= time.time()
        return None if expired else self._caller

    @cached_property
    def _caller(self) -> Caller | None:
        if not self.active or not self.user_id:
            return None
        models = frozenset(self.model_ids) if self.model_ids is not None else None
        return Caller(self.user_id, scopes=frozenset(self.scopes), key_id=self.key_id, model_ids=models)


class ApiKeys:
    def __init__(
        self, control: httpx.AsyncClient, store: Store, *, timeout_seconds: float, keep_seconds: int
    ) -> None:
        self._control = control
        self._store = store
        self._timeout = timeout_seconds
        self._keep_seconds = keep_seconds
        self._believed: TTLCache[str, Introspection] = TTLCache(_REMEMBERED_KEYS)
        self._refused: TTLCache[str, Introspection] = TTLCache(_REMEMBERED_REFUSALS)
        self._good_lately: TTLCache[str, bool] = TTLCache(_REMEMBERED_KEYS)
        self._introspecting: SingleFlight[Introspection] = SingleFlight()
        self._away_until = float("-inf")

    def remembered(self, key: str) -> Caller | None:
        """Return the caller of a key that was found good in the last seconds."""
        introspection = self._believed.get(_digest(key))
        return introspection.caller() if introspection else None

    async def was_good(self, key: str) -> bool:
        """Return whether there is reason to think that the key is good: only a look-up tells whether
        it is.
        """
        digest = _digest(key)
        if self._good_lately.get(digest):
            return True
        try:
            kept = await self._store.get(_store_key(digest)) or await self._store.get(mark_of(digest))
        except StoreUnavailable:
            FALLBACKS.labels("store").inc()
            return False
        return kept is not None

    async def verify(self, key: str) -> Caller:
        """Find out whose key it is. Raises InvalidCredential, CredentialUncheckable."""
        if not _KEY.fullmatch(key):
            raise InvalidCredential("The API key is not one of this platform: it starts with mlp_live_.")
        digest = _digest(key)
        introspection = self._believed.get(digest) or self._refused.get(digest)
        introspection = introspection or await self._introspecting.run(
            digest, lambda: self._introspect(digest)
        )
        caller = introspection.caller()
        if caller is None:
            raise InvalidCredential(_INVALID)
        return caller

    async def _introspect(self, digest: str) -> Introspection:
        introspection = await self._recall(digest) if time.monotonic() < self._away_until else None
        believed_for = _AWAY_SECONDS if introspection else _BELIEVED_SECONDS
        introspection = introspection or await self._introspect_or_recall(digest)
        self._remember(digest, introspection, believed_for)
        return introspection

    def _remember(self, digest: str, introspection: Introspection, seconds: float) -> None:
        if introspection.active:
            self._believed.put(digest, introspection, seconds)
            self._good_lately.put(digest, value=True, ttl_seconds=self._keep_seconds)
        else:
            self._refused.put(digest, introspection, seconds)
            self._good_lately.forget(digest)

    async def _introspect_or_recall(self, digest: str) -> Introspection:
        try:
            introspection = await self._fetch_introspection(digest)
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            log.warning("api_key_introspection_failed", error=repr(error))
            self._away_until = time.monotonic() + _AWAY_SECONDS
            recalled = await self._recall(digest)
            if recalled is None:
                raise CredentialUncheckable from error
            return recalled
        await self._keep(digest, introspection)
        return introspection

    async def _fetch_introspection(self, digest: str) -> Introspection:
        response = await self._control.post(_PATH, json={"key_sha256": digest}, timeout=self._timeout)
        response.raise_for_status()
        return msgspec.json.decode(response.content, type=Introspection)

    async def _recall(self, digest: str) -> Introspection | None:
        """What any replica last learned of the key; None: nothing is known of it."""
        FALLBACKS.labels("control-api").inc()
        try:
            kept = await self._store.get(_store_key(digest))
            return None if kept is None else msgspec.json.decode(kept, type=Introspection)
        except (StoreUnavailable, msgspec.MsgspecError) as error:
            log.warning("api_key_cache_unreadable", error=repr(error))
            return None

    async def _keep(self, digest: str, introspection: Introspection) -> None:
        try:
            if introspection.active:
                await self._store.put(
                    _store_key(digest), msgspec.json.encode(introspection), self._keep_seconds
                )
            else:
                await self._store.delete(_store_key(digest))
                await self._store.delete(mark_of(digest))
        except StoreUnavailable:
            FALLBACKS.labels("store").inc()


def _digest(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _store_key(digest: str) -> bytes:
    return b"introspection:" + digest.encode()
