"""How long credentials are believed, and what happens while the control API is away."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from modelport_gateway.auth import access_tokens, api_keys, authentication
from modelport_gateway.auth.access_tokens import (
    AccessTokens,
    CredentialUncheckable,
    InvalidCredential,
    SigningKeys,
)
from modelport_gateway.auth.api_keys import ApiKeys
from modelport_store.memory_store import MemoryStore
from modelport_store.store import Limit, StoreUnavailable, mark_of, tokens_ended_mark

from tests.support.gateway_harness import KEY, OWNER, FakeControlApi, Harness


class BrokenStore(MemoryStore):
    async def get(self, key: bytes) -> bytes | None:
        raise StoreUnavailable

    async def put(self, key: bytes, value: bytes, ttl_seconds: float) -> None:
        raise StoreUnavailable


def api_keys_of(control: FakeControlApi, store: Any = None) -> ApiKeys:
    return ApiKeys(control.client, store or MemoryStore(), timeout_seconds=2, keep_seconds=3600)


async def test_a_hundred_first_requests_with_one_key_ask_once() -> None:
    control = FakeControlApi()
    control.issue_key()
    control.delay_seconds = 0.05
    keys = api_keys_of(control)
    callers = await asyncio.gather(*(keys.verify(KEY) for _ in range(100)))
    assert {caller.user_id for caller in callers} == {OWNER}
    assert len(control.asked) == 1


async def test_good_and_bad_keys_are_remembered_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert api_keys._BELIEVED_SECONDS <= 5, "revocation must take effect within five seconds"
    monkeypatch.setattr(api_keys, "_BELIEVED_SECONDS", 1.5)
    control = FakeControlApi()
    control.issue_key()
    keys = api_keys_of(control)
    for _ in range(5):
        await keys.verify(KEY)
        with pytest.raises(InvalidCredential):
            await keys.verify("mlp_live_" + "u" * 43)
    assert len(control.asked) == 2
    control.revoke()
    await asyncio.sleep(1.6)
    with pytest.raises(InvalidCredential):
        await keys.verify(KEY)


async def test_a_revoked_key_is_forgotten_by_the_store_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "_BELIEVED_SECONDS", 0.0)
    control, store = FakeControlApi(), MemoryStore()
    control.issue_key()
    keys = api_keys_of(control, store)
    await keys.verify(KEY)
    control.revoke()
    with pytest.raises(InvalidCredential):
        await keys.verify(KEY)
    control.away = True
    with pytest.raises(CredentialUncheckable):
        await keys.verify(KEY)


async def test_a_kept_response_is_used_only_while_the_control_api_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api_keys, "_BELIEVED_SECONDS", 0.0)
    control, store = FakeControlApi(), MemoryStore()
    control.issue_key()
    await api_keys_of(control, store).verify(KEY)
    control.away = True
    assert (await api_keys_of(control, store).verify(KEY)).user_id == OWNER
    control.away = False
    control.revoke()
    with pytest.raises(InvalidCredential):
        await api_keys_of(control, store).verify(KEY)


async def test_an_expiry_holds_also_for_a_kept_response() -> None:
    control, store = FakeControlApi(), MemoryStore()
    soon = (datetime.now(UTC) + timedelta(seconds=1.5)).isoformat()
    control.issue_key(expires_at=soon)
    keys = api_keys_of(control, store)
    await keys.verify(KEY)
    control.away = True
    await asyncio.sleep(1.6)
    assert keys.remembered(KEY) is None
    with pytest.raises(InvalidCredential):
        await api_keys_of(control, store).verify(KEY)


async def test_without_the_store_keys_work_and_without_both_it_is_said() -> None:
    control = FakeControlApi()
    control.issue_key()
    assert (await api_keys_of(control, BrokenStore()).verify(KEY)).user_id == OWNER
    control.away = True
    with pytest.raises(CredentialUncheckable):
        await api_keys_of(control, BrokenStore()).verify(KEY)


async def test_a_new_signing_key_is_found_and_a_withdrawn_one_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(access_tokens, "_MIN_SECONDS_BETWEEN", 0.0)
    control = FakeControlApi()
    signing = SigningKeys(control.client, MemoryStore(), refresh_seconds=60)
    await signing.refresh()
    tokens = AccessTokens(signing, MemoryStore())
    old = control.token()
    await tokens.verify(old)
    control.signing["kid-2"] = Ed25519PrivateKey.generate()
    assert (await tokens.verify(control.token(kid="kid-2"))).user_id == OWNER
    del control.signing["kid-1"]
    await signing.refresh()
    assert tokens.remembered(old) is None
    with pytest.raises(InvalidCredential):
        await tokens.verify(old)


async def signing_of(control: FakeControlApi, store: MemoryStore) -> SigningKeys:
    signing = SigningKeys(control.client, store, refresh_seconds=60)
    await signing.refresh()
    return signing


async def end_tokens(store: MemoryStore, user_id: str, at: float) -> None:
    """As the control API does when it disables the user."""
    await store.put(tokens_ended_mark(user_id), str(at).encode(), 60)


async def test_tokens_of_a_disabled_user_end_within_seconds_and_those_issued_later_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert access_tokens._BELIEVED_SECONDS <= 5, "as for keys that are revoked"
    monkeypatch.setattr(access_tokens, "_BELIEVED_SECONDS", 0.0)
    control, store = FakeControlApi(), MemoryStore()
    tokens = AccessTokens(await signing_of(control, store), store)
    now = time.time()
    before, after = control.token(iat=now - 0.2), control.token(iat=now - 0.1)
    await tokens.verify(before)
    await end_tokens(store, OWNER, now - 0.15)
    assert tokens.remembered(before) is None
    with pytest.raises(InvalidCredential, match="was ended"):
        await tokens.verify(before)
    assert (await tokens.verify(after)).user_id == OWNER


async def test_the_end_of_one_users_tokens_is_not_anothers() -> None:
    control, store = FakeControlApi(), MemoryStore()
    tokens = AccessTokens(await signing_of(control, store), store)
    await end_tokens(store, "somebody-else", time.time() + 60)
    assert (await tokens.verify(control.token())).user_id == OWNER


async def test_a_token_is_looked_up_once_in_some_seconds() -> None:
    control, store = FakeControlApi(), MemoryStore()
    tokens = AccessTokens(await signing_of(control, store), store)
    token = control.token()
    await tokens.verify(token)
    assert tokens.remembered(token) is not None


async def test_without_the_store_a_token_lives_until_it_expires() -> None:
    control = FakeControlApi()
    tokens = AccessTokens(await signing_of(control, MemoryStore()), BrokenStore())
    assert (await tokens.verify(control.token())).user_id == OWNER


async def test_forged_key_ids_do_not_flood_the_control_api() -> None:
    control = FakeControlApi()
    signing = SigningKeys(control.client, MemoryStore(), refresh_seconds=60)
    await signing.refresh()
    asked_at = signing._fetched_at
    for number in range(50):
        assert await signing.find(f"forged-{number}") is None
    assert signing._fetched_at == asked_at


async def test_a_good_token_is_not_called_bad_by_who_could_not_ask_for_the_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(access_tokens, "_MIN_SECONDS_BETWEEN", 0.0)
    control, store = FakeControlApi(), MemoryStore()
    tokens = AccessTokens(SigningKeys(control.client, store, refresh_seconds=60), store)
    control.away = True
    with pytest.raises(CredentialUncheckable):
        await tokens.verify(control.token())
    control.away = False
    assert (await tokens.verify(control.token())).user_id == OWNER
    control.signing = {"kid-2": Ed25519PrivateKey.generate()}
    control.away = True
    with pytest.raises(CredentialUncheckable):
        await tokens.verify(control.token(kid="kid-2"))


async def test_tokens_go_on_while_the_control_api_is_away(serving: Harness) -> None:
    serving.control.away = True
    await serving.gateway._keys.refresh()
    fresh = {"Authorization": f"Bearer {serving.control.token(jti='another')}"}
    assert (await serving.predict(headers=fresh)).status_code == 200


@pytest.mark.parametrize(
    "jwks_answer",
    [{}, {"keys": 7}, {"keys": [{}]}, {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "!"}]}, []],
)
async def test_unreadable_signing_keys_leave_the_old_ones(
    jwks_answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = FakeControlApi()
    signing = SigningKeys(control.client, MemoryStore(), refresh_seconds=60)
    await signing.refresh()
    monkeypatch.setattr(control, "jwks", lambda: jwks_answer)
    await signing.refresh()
    assert signing.known("kid-1") is not None


async def test_an_address_that_keeps_guessing_is_stopped_and_good_callers_are_not(
    serving: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "_TRIES", Limit(40, 3600))
    assert (await serving.predict()).status_code == 200
    guesses = [f"mlp_live_{number:043d}" for number in range(200)]
    statuses = [(await serving.predict(headers={"X-API-Key": guess})).status_code for guess in guesses]
    assert statuses[0] == 401
    # Not all: on a slow machine some of the guard's tokens have come back.
    assert 429 in statuses
    assert len(serving.control.asked) < len(guesses)
    assert (await serving.predict()).status_code == 200


async def test_a_new_replica_checks_tokens_and_keys_while_the_control_api_is_away() -> None:
    control, store = FakeControlApi(), MemoryStore()
    control.issue_key()
    first = SigningKeys(control.client, store, refresh_seconds=60)
    await first.refresh()
    await api_keys_of(control, store).verify(KEY)
    control.away = True
    new = SigningKeys(control.client, store, refresh_seconds=60)
    await new.refresh()
    assert new.had
    assert (await AccessTokens(new, store).verify(control.token())).user_id == OWNER
    assert (await api_keys_of(control, store).verify(KEY)).user_id == OWNER


async def test_a_key_that_another_replica_learnt_of_is_added_and_what_is_known_here_stays() -> None:
    control, store = FakeControlApi(), MemoryStore()
    signing = SigningKeys(control.client, store, refresh_seconds=60)
    await signing.refresh()
    control.signing = {"kid-2": Ed25519PrivateKey.generate()}
    await SigningKeys(control.client, store, refresh_seconds=60).refresh()
    control.away = True
    await signing.refresh()
    assert signing.known("kid-1") is not None
    assert signing.known("kid-2") is not None


@pytest.mark.parametrize("kept", [b"", b"no JSON", b'{"keys": 7}', b"[]"])
async def test_unreadable_signing_keys_in_the_store_are_none(kept: bytes) -> None:
    control, store = FakeControlApi(), MemoryStore()
    control.away = True
    await store.put(access_tokens._STORE_KEY, kept, 60)
    signing = SigningKeys(control.client, store, refresh_seconds=60)
    await signing.refresh()
    assert not signing.had
    broken = SigningKeys(control.client, BrokenStore(), refresh_seconds=60)
    await broken.refresh()
    assert not broken.had


async def test_while_the_control_api_hangs_a_known_key_waits_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "_BELIEVED_SECONDS", 0.0)
    monkeypatch.setattr(api_keys, "_AWAY_SECONDS", 60.0)
    control, store = FakeControlApi(), MemoryStore()
    control.issue_key()
    await api_keys_of(control, store).verify(KEY)
    control.away = True
    keys = api_keys_of(control, store)
    asked = 0

    async def hang(digest: str) -> api_keys.Introspection:
        nonlocal asked
        asked += 1
        raise httpx.ReadTimeout("it hangs")

    monkeypatch.setattr(keys, "_fetch_introspection", hang)
    keys._believed._clock = lambda: 0.0
    for _ in range(3):
        keys._believed._items.clear()
        assert (await keys.verify(KEY)).user_id == OWNER
    assert asked == 1
    # Of a key that nobody knows only the control API can say anything.
    with pytest.raises(CredentialUncheckable):
        await keys.verify("mlp_live_" + "u" * 43)
    assert asked == 2


NEIGHBORS = [f"mlp_live_{number:043d}" for number in range(200)]


@pytest.fixture
async def stopped(serving: Harness, monkeypatch: pytest.MonkeyPatch) -> Harness:
    """The address has sent so many unknown keys that it is stopped."""
    # On a slow machine two hundred take longer than their places take to come free.
    monkeypatch.setattr(authentication, "_TRIES", Limit(40, 3600))
    answers = [await serving.predict(headers={"X-API-Key": key}) for key in NEIGHBORS]
    assert answers[-1].status_code == 429
    return serving


async def test_a_key_that_was_good_is_looked_up_though_its_address_is_stopped(
    serving: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_keys, "_BELIEVED_SECONDS", 0.0)
    monkeypatch.setattr(authentication, "_TRIES", Limit(1, 3600))
    mine = {"X-API-Key": serving.control.issue_key()}
    assert (await serving.predict(headers=mine)).status_code == 200
    for neighbors in NEIGHBORS:
        await serving.predict(headers={"X-API-Key": neighbors})
        assert (await serving.predict(headers=mine)).status_code == 200
    serving.control.revoke()
    assert (await serving.predict(headers=mine)).status_code == 401
    assert (await serving.predict(headers=mine)).status_code == 429


async def test_a_good_key_that_is_new_here_gets_in_beside_a_neighbors_guesses(
    serving: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No store tells of it: as on Kubernetes without Redis, by a gateway that has just started."""
    monkeypatch.setattr(authentication, "_TRIES", Limit(40, 3600))
    mine = {"X-API-Key": serving.control.issue_key()}
    for guess in NEIGHBORS[:80]:
        assert (await serving.predict(headers={"X-API-Key": guess})).status_code == 401
    for _ in range(40):
        assert (await serving.predict(headers=mine)).status_code == 200
    asked = len(serving.control.asked)
    statuses = [(await serving.predict(headers={"X-API-Key": key})).status_code for key in NEIGHBORS[80:]]
    assert statuses[-1] == 429
    assert len(serving.control.asked) - asked < 40, "guesses stay bounded"


@pytest.mark.parametrize("reason", ["another replica", "just made"])
async def test_a_key_that_the_store_knows_is_looked_up_though_its_address_is_stopped(
    stopped: Harness, reason: str
) -> None:
    digest = sha256(stopped.control.issue_key().encode()).hexdigest()
    mark = mark_of(digest) if reason == "just made" else api_keys._store_key(digest)
    await stopped.store.put(mark, b"1", 60)
    assert (await stopped.predict(headers={"X-API-Key": KEY})).status_code == 200


async def test_a_new_access_token_is_taken_though_its_address_is_stopped(stopped: Harness) -> None:
    fresh = {"Authorization": f"Bearer {stopped.control.token(jti='after a refresh')}"}
    assert (await stopped.predict(headers=fresh)).status_code == 200


async def test_unknown_keys_do_not_push_good_ones_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "_REMEMBERED_KEYS", 5)
    monkeypatch.setattr(api_keys, "_REMEMBERED_REFUSALS", 5)
    control = FakeControlApi()
    control.issue_key()
    keys = api_keys_of(control)
    await keys.verify(KEY)
    for neighbors in NEIGHBORS[:10]:
        with pytest.raises(InvalidCredential):
            await keys.verify(neighbors)
    assert keys.remembered(KEY) is not None
