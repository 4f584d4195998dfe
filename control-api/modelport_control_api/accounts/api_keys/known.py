"""Tells gateways which keys exist, so that those are looked up even while bad keys stop their address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import BackgroundTasks, Depends
from modelport_store.known_keys import KEPT_SECONDS, mark_of
from modelport_store.store import Store
from starlette.concurrency import run_in_threadpool

from modelport_control_api.accounts.api_keys import repository, secret
from modelport_control_api.accounts.api_keys.schemas import KeyWithSecret
from modelport_control_api.http.context import Context, RequestContext

_MOST_AT_START = 10_000


@dataclass(frozen=True)
class Marking:
    """Call it with a key that was just made: it is marked once the answer is out."""

    _store: Store
    _background: BackgroundTasks

    def __call__(self, key: KeyWithSecret) -> KeyWithSecret:
        self._background.add_task(_mark, self._store, secret.sha256(key.key))
        return key


async def _provide_marking(context: RequestContext, background: BackgroundTasks) -> Marking:
    return Marking(context.store, background)


MarkNew = Annotated[Marking, Depends(_provide_marking)]


async def mark_all(context: Context) -> None:
    """Once, at the start: a store in memory has forgotten them. Of very many, those used last."""
    for digest in await run_in_threadpool(_digests, context):
        await _mark(context.store, digest)


def _digests(context: Context) -> Sequence[str]:
    with context.database.transaction(read_only=True) as session:
        return repository.newest_digests(session, _MOST_AT_START)


async def _mark(store: Store, digest: str) -> None:
    store.put_nowait(mark_of(digest), b"1", KEPT_SECONDS)
