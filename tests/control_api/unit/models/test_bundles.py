"""Bundles of own packages: handed in once for a lock, by who has what opens it, and gone with the lock."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_control_api.registry import repository
from modelport_process import internal_key

from tests.control_api.unit.models.platform import Account, Platform, running_platform, settings_at
from tests.support.control_api import INTERNAL_KEY
from tests.support.wheels import index_of, make_wheel

GIVEN = "scikit-learn==1.2.2\n"
BUNDLE = b"bundle" * 5000


@pytest.fixture
async def platform(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Platform]:
    index = tmp_path / "index"
    for name, version in (("numpy", "1.26.4"), ("joblib", "1.4.0"), ("scikit-learn", "1.2.2")):
        make_wheel(index, name, version)
    for name, value in index_of(index).items():
        monkeypatch.setenv(name, value)
    settings = settings_at(tmp_path, sqlite_url, own_requirements=True, bundle_max_bytes=1 << 20)
    async with running_platform(settings, tmp_path) as running:
        yield running


@pytest.fixture
async def ann(platform: Platform) -> Account:
    return await platform.account("ann")


async def uploaded(platform: Platform, ann: Account, content: bytes) -> tuple[str, str]:
    """Return the model's id and the digest of its lock."""
    made = (await ann.upload(content, requirements=GIVEN)).json()
    await platform.published(made["id"], "v1")
    (version,) = platform.cluster.objects[made["id"]]["spec"]["versions"]
    return made["id"], version["lock"]["sha256"]


def at(lock: str) -> str:
    return f"/internal/v1/bundles/{lock}"


def shown(lock: str) -> dict[str, str]:
    return internal_key.show(internal_key.of_bundle(INTERNAL_KEY, lock))


async def hand_in(
    platform: Platform, lock: str, content: bytes, headers: dict[str, str] | None = None
) -> httpx.Response:
    async with platform.internal() as client:
        return await client.put(at(lock), content=content, headers=headers or shown(lock))


async def find(platform: Platform, lock: str) -> httpx.Response:
    async with platform.internal() as client:
        return await client.get(at(lock), headers=shown(lock))


async def test_the_first_one_stays_and_is_a_file_of_the_store(
    platform: Platform, ann: Account, iris_bytes: bytes
) -> None:
    _, lock = await uploaded(platform, ann, iris_bytes)
    missing = await find(platform, lock)
    assert (missing.status_code, missing.json()["detail"]) == (404, "No bundle has been made of this lock.")
    first = await hand_in(platform, lock, BUNDLE)
    assert (first.status_code, first.text) == (200, hashlib.sha256(BUNDLE).hexdigest())
    again = await hand_in(platform, lock, BUNDLE + b"another")
    assert again.text == first.text == (await find(platform, lock)).text
    assert hashlib.sha256(BUNDLE + b"another").hexdigest() not in platform.stored()
    async with platform.internal() as client:
        read = await client.get(f"/internal/v1/artifacts/{first.text}", headers={"Authorization": ""})
    assert read.content == BUNDLE
    assert platform.incoming() == []


async def test_it_lives_as_long_as_a_version_names_its_lock_and_is_made_again_after_that(
    platform: Platform, ann: Account, iris_bytes: bytes
) -> None:
    first, lock = await uploaded(platform, ann, iris_bytes)
    second, same = await uploaded(platform, ann, iris_bytes)
    assert same == lock
    digest = (await hand_in(platform, lock, BUNDLE)).text
    keeper = platform.plane.models.keeper
    await ann.http.delete(f"/api/v1/models/{first}")
    await keeper.collect_garbage()
    assert {digest, lock} <= set(platform.stored())
    await ann.http.delete(f"/api/v1/models/{second}")
    await keeper.collect_garbage()
    assert platform.stored() == []
    assert (await find(platform, lock)).status_code == 404
    assert (await hand_in(platform, lock, BUNDLE + b"2")).text == hashlib.sha256(BUNDLE + b"2").hexdigest()


async def test_what_is_larger_than_any_may_be_is_not_kept(
    platform: Platform, ann: Account, iris_bytes: bytes
) -> None:
    _, lock = await uploaded(platform, ann, iris_bytes)
    refused = await hand_in(platform, lock, bytes(3 << 20))
    assert refused.status_code == 413
    assert (await find(platform, lock)).status_code == 404
    assert platform.incoming() == []


@pytest.mark.parametrize("given", ["none", "internal key", "another lock", "cut", "a user's", "an API key"])
async def test_nobody_else_may_ask_for_or_replace_it(
    platform: Platform, ann: Account, iris_bytes: bytes, given: str
) -> None:
    _, lock = await uploaded(platform, ann, iris_bytes)
    headers = await _headers(ann, given, lock)
    refused = await hand_in(platform, lock, BUNDLE, headers)
    async with platform.internal() as client:
        asked = await client.get(at(lock), headers=headers)
    assert (refused.status_code, asked.status_code) == (403, 403)
    assert "MODELPORT_INTERNAL_KEY" in refused.json()["detail"]
    assert INTERNAL_KEY.get_secret_value() not in refused.text
    async with platform.client() as public:
        assert (await public.put(at(lock), content=b"", headers=shown(lock))).status_code == 404

    def kept(session: Any) -> str | None:
        return repository.find_bundle(session, lock)

    assert await platform.plane.models.transactions.read(kept) is None


async def _headers(ann: Account, given: str, lock: str) -> dict[str, str]:
    match given:
        case "internal key":
            return internal_key.show(INTERNAL_KEY)
        case "another lock":
            return shown("0" * 64)
        case "cut":
            return {"Authorization": shown(lock)["Authorization"][:-1]}
        case "a user's":
            return {"Authorization": ann.http.headers["authorization"]}
        case "an API key":
            made = (await ann.http.post("/api/v1/api-keys", json={"name": "ci"})).json()
            return {"Authorization": f"Bearer {made['key']}"}
    return {"Authorization": ""}
