"""What the artifact store promises, whichever object store is behind it."""

import hashlib
from pathlib import Path

import pytest
from modelport_control_api.artifacts.keeper import ArtifactKeeper
from modelport_control_api.artifacts.store import ArtifactMissing, ArtifactStore, open_artifact_store
from obstore.store import MemoryStore


@pytest.fixture(params=["local folder", "object store"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    if request.param == "local folder":
        return open_artifact_store(str(tmp_path / "artifacts"), tmp_path / "unused")
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    return ArtifactStore(MemoryStore(), incoming)


async def put(store: ArtifactStore, content: bytes) -> str:
    path = store.incoming / "upload-x"
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    await store.put(path, digest)
    return digest


async def read(store: ArtifactStore, digest: str) -> tuple[int, bytes]:
    size, stream = await store.open_stream(digest)
    return size, b"".join([chunk async for chunk in stream])


async def digests(store: ArtifactStore) -> set[str]:
    return {artifact.sha256 async for artifact in store.list_digests()}


async def test_what_is_put_is_read_back_and_taken_from_where_it_was(store: ArtifactStore) -> None:
    content = bytes(range(256)) * 20_000
    digest = await put(store, content)
    assert await read(store, digest) == (len(content), content)
    assert list(store.incoming.iterdir()) == []
    assert await store.exists(digest)


async def test_identical_bytes_are_stored_once(store: ArtifactStore) -> None:
    assert await put(store, b"same") == await put(store, b"same")
    assert len(await digests(store)) == 1


@pytest.mark.parametrize("digest", ["0" * 64, "", "../../etc/passwd", "A" * 64, "sha256/ab"])
async def test_what_is_not_there_is_missing(store: ArtifactStore, digest: str) -> None:
    assert not await store.exists(digest)
    with pytest.raises(ArtifactMissing):
        await store.open_stream(digest)


async def test_deleting_twice_is_no_error(store: ArtifactStore) -> None:
    digest = await put(store, b"x")
    await store.delete(digest)
    await store.delete(digest)
    assert await digests(store) == set()


async def test_an_open_stream_is_whole_although_the_file_is_deleted_meanwhile(store: ArtifactStore) -> None:
    content = bytes(5_000_000)
    digest = await put(store, content)
    _, stream = await store.open_stream(digest)
    first = await anext(stream)
    await store.delete(digest)
    assert len(first) + sum([len(chunk) async for chunk in stream]) == len(content)


async def test_garbage_is_what_no_version_names_and_is_older_than_the_grace(store: ArtifactStore) -> None:
    kept, garbage = await put(store, b"kept"), await put(store, b"garbage")

    async def references(asked: set[str]) -> set[str]:
        return asked & {kept}

    patient = ArtifactKeeper(store, references, grace_seconds=60)
    assert await patient.collect_garbage() == 0
    assert await ArtifactKeeper(store, references, grace_seconds=0).collect_garbage() == 1
    assert await digests(store) == {kept}
    assert not await store.exists(garbage)
