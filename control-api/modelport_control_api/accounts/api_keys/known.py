"""Publishes to gateways which keys exist, so that those are looked up even while bad keys stop their
address.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import BackgroundTasks, Depends
from modelport_store.store import KEPT_SECONDS, Store, mark_of

from modelport_control_api.accounts.api_keys import repository
from modelport_control_api.accounts.api_keys.schemas import KeyWithSecret
from modelport_control_api.accounts.wiring import Accounts, AccountServices

_MOST_AT_START = 10_000


@dataclass(frozen=True)
class Marking:
    """Call it with a key that was just made: it is marked once the response is out."""

    _store: Store
    _background: BackgroundTasks

    def __call__(self, key: KeyWithSecret) -> KeyWithSecret:
        self._background.add_task(_mark, self._store, repository.sha256(key.key))
        return key


async def _provide_marking(services: Accounts, background: BackgroundTasks) -> Marking:
    return Marking(services.store, background)


MarkNew = Annotated[Marking, Depends(_provide_marking)]


async def mark_all(services: AccountServices) -> None:
    """Once, at the start: a store in memory has forgotten them. Of very many, those used last."""
    digests = await services.transactions.read(
        lambda session: repository.newest_digests(session, _MOST_AT_START)
    )
    for digest in digests:
        await _mark(services.store, digest)


async def _mark(store: Store, digest: str) -> None:
    store.put_nowait(mark_of(digest), b"1", KEPT_SECONDS)
