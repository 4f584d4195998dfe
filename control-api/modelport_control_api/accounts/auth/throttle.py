"""Limits on guessing. Only failures count, and where one signs in as a rule, only those made from there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256

from modelport_http.client_address import bucket_address
from modelport_http.rate_limiting import enforce, give_back
from modelport_store.store import Limit, Store, StoreUnavailable

from modelport_control_api.accounts.auth.schemas import normalize_or_keep
from modelport_control_api.accounts.wiring import AccountServices
from modelport_control_api.identity import Origin

_KNOWN_SECONDS = 30 * 86_400
_ADDRESSES = 10
"""So many must guess at an account as much as they may before its owner has to wait at a new one."""


async def registration(services: AccountServices, origin: Origin) -> None:
    """Raises a 429 problem."""
    await enforce(services.store, "register", services.settings.limit_register, bucket_address(origin.ip))


@asynccontextmanager
async def password_check(services: AccountServices, email: str, origin: Origin) -> AsyncIterator[None]:
    """The block raises when the password is wrong. Raises a 429 problem.

    Counted before and given back: of a hundred guesses made at once none may slip through.
    """
    store, place = services.store, _place(email, origin)
    counted = await _limits(services, place)
    for each in counted:
        await enforce(store, each.name, each.limit, each.subject)
    yield
    for each in counted:
        await give_back(store, each.name, each.limit, each.subject)
    store.put_nowait(place.mark, b"1", _KNOWN_SECONDS)


@dataclass(frozen=True)
class _Place:
    """An account at an address."""

    account: str
    address: str

    @property
    def subject(self) -> str:
        return f"{self.account}@{self.address}"

    @property
    def mark(self) -> bytes:
        """In the store while the account has logged in from here lately."""
        return b"logged-in:" + self.subject.encode()


@dataclass(frozen=True)
class _Counted:
    name: str
    limit: Limit
    subject: str


def _place(email: str, origin: Origin) -> _Place:
    # Hashed: the store's keys are no place for users' addresses.
    account = sha256(normalize_or_keep(email).encode()).hexdigest()
    return _Place(account, bucket_address(origin.ip))


async def _limits(services: AccountServices, place: _Place) -> list[_Counted]:
    here = _Counted("login", services.settings.limit_login, place.subject)
    if await _is_known(services.store, place):
        return [here]
    elsewhere = services.settings.limit_login_elsewhere
    # Wider than an address': else one client's guesses alone would use the account's up.
    everywhere = Limit(_ADDRESSES * elsewhere.requests, elsewhere.period_seconds)
    return [
        here,
        # In this order: what the address is refused costs the account nothing.
        _Counted("login-address", elsewhere, place.address),
        _Counted("login-account", everywhere, place.account),
    ]


async def _is_known(store: Store, place: _Place) -> bool:
    try:
        return await store.get(place.mark) is not None
    except StoreUnavailable:
        return False
