"""Who is calling: at most one credential, in either of two headers."""

from modelport_http.problem import Problem
from modelport_http.rate_limiting import bucket_of, too_many_requests
from modelport_store.memory_store import MemoryStore
from modelport_store.store import Limit, LimitResult

from modelport_gateway.auth.access_tokens import AccessTokens, CredentialUncheckable, InvalidCredential
from modelport_gateway.auth.api_keys import KEY_PREFIX, ApiKeys
from modelport_gateway.auth.authorization import Caller
from modelport_gateway.auth.ttl_cache import TTLCache
from modelport_gateway.request.paths import RequestHeaders

_GUARD = "failed-credentials"
_GUARDED_ADDRESSES = 10_000
# Of addresses that are stopped. A key that is new to this process may be good, and where no store is shared
# only a look-up tells; each is a few milliseconds of the control API.
_TRIES = Limit(40, 1)
_TRIES_OF_ALL = Limit(120, 1)
# Nothing longer is a credential of ours; hashing and parsing it would only cost time.
_MAX_CREDENTIAL = 4096


def read_credential(headers: RequestHeaders) -> str | None:
    """Return the one credential of a request, None if there is none. Raises InvalidCredential."""
    given = [_bearer(value) for value in headers.all(b"authorization")] + headers.all(b"x-api-key")
    if not given:
        return None
    credential = given[0]
    if given.count(credential) != len(given):
        raise InvalidCredential("Two different credentials were given; send one.")
    if not credential or len(credential) > _MAX_CREDENTIAL:
        raise InvalidCredential("The credential is empty or too long.")
    return credential


def _bearer(value: str) -> str:
    scheme, _, credential = value.partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidCredential(
            "Write `Authorization: Bearer <access token or API key>`, or `X-API-Key: <key>`."
        )
    return credential.strip()


class Guard:
    """Stops an address that keeps sending bad credentials. Per replica: it protects, it does not bill."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._failures = MemoryStore(max_buckets=_GUARDED_ADDRESSES)
        self._stopped: TTLCache[str, LimitResult] = TTLCache(_GUARDED_ADDRESSES)
        self._tries = MemoryStore(max_buckets=_GUARDED_ADDRESSES)

    def stops(self, address: str) -> Problem | None:
        """The 429 for an address that is stopped."""
        taken = self._stopped.get(address)
        return too_many_requests(_GUARD, taken) if taken else None

    async def may_try(self, address: str) -> bool:
        """Return whether a key of a stopped address may be looked up all the same, as a few a second may."""
        own = await self._tries.take(bucket_of(_GUARD, address), _TRIES)
        return own.allowed and (await self._tries.take(_GUARD, _TRIES_OF_ALL)).allowed

    async def failed(self, address: str) -> None:
        """Count a wrong credential from the address; beyond the limit the address is held off."""
        taken = await self._failures.take(bucket_of(_GUARD, address), self._limit)
        if not taken.allowed:
            self._stopped.put(address, taken, taken.retry_after)


class Authentication:
    def __init__(self, tokens: AccessTokens, keys: ApiKeys, guard: Guard) -> None:
        self._tokens = tokens
        self._keys = keys
        self._guard = guard

    async def identify(self, headers: RequestHeaders, address: str) -> Caller | None:
        """Return the caller; None when no credential was given. Raises Problem 401, 429 or 503.

        A bad credential is refused even where none is needed: its sender believes it to be good.
        """
        try:
            credential = read_credential(headers)
            return await self._identify(credential, address) if credential else None
        except InvalidCredential as error:
            await self._guard.failed(address)
            raise unauthorized(str(error), bad_credential=True) from None
        except CredentialUncheckable:
            raise Problem(
                status=503,
                detail="The credential cannot be checked just now. Try again in a few seconds.",
                headers={"Retry-After": "2"},
            ) from None

    async def _identify(self, credential: str, address: str) -> Caller:
        if not credential.startswith(KEY_PREFIX):
            # Checked here, at no cost to others: no address need be stopped for it.
            return self._tokens.remembered(credential) or await self._tokens.verify(credential)
        return self._keys.remembered(credential) or await self._look_up(credential, address)

    async def _look_up(self, key: str, address: str) -> Caller:
        stopped = self._guard.stops(address)
        # Many callers share an address: a neighbor's bad keys are no reason to refuse a good one.
        if stopped and not await self._keys.was_good(key) and not await self._guard.may_try(address):
            raise stopped
        return await self._keys.verify(key)


def unauthorized(detail: str, *, bad_credential: bool) -> Problem:
    """Return 401 with its challenge. `bad_credential`: one was sent, and it is no good."""
    challenge = 'Bearer realm="modelport"' + (', error="invalid_token"' if bad_credential else "")
    return Problem(status=401, detail=detail, headers={"WWW-Authenticate": challenge})
