"""Rotation: published before it signs, published until its last token has expired."""

import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from modelport_control_api.accounts.sessions import access_tokens
from modelport_control_api.accounts.sessions.access_tokens import AccessClaims, AccessTokenInvalid
from modelport_control_api.db.base import utc_now
from modelport_control_api.signing_keys import files, ring, rotation
from modelport_control_api.signing_keys.__main__ import main
from modelport_control_api.signing_keys.files import SigningKeysError
from modelport_control_api.signing_keys.ring import KeyRing

SCHEDULE = rotation.schedule(300, 1800)
CLAIMS = AccessClaims("user", "session", False)


class Clock:
    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(autouse=True)
def _read_the_folder_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "RELOAD_SECONDS", -1.0)


def kids(keys: KeyRing) -> set[str]:
    return {key["kid"] for key in keys.jwks()["keys"]}


def test_the_first_key_signs_at_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    rotation.create_first(tmp_path / "keys")
    rotation.create_first(tmp_path / "keys")
    (file,) = files.list_files(tmp_path / "keys")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    keys = KeyRing(tmp_path / "keys", SCHEDULE)
    assert access_tokens.verify(keys, access_tokens.issue(keys, CLAIMS, 60)) == CLAIMS
    assert "d" not in keys.jwks()["keys"][0]


def test_a_rotation_is_picked_up_without_a_restart_and_overlaps(tmp_path: Path) -> None:
    clock = Clock()
    old = files.create(tmp_path, clock.now - timedelta(hours=1))
    keys = KeyRing(tmp_path, SCHEDULE, now=clock)
    token = access_tokens.issue(keys, CLAIMS, 1800)

    new = files.create(tmp_path, clock.now)
    assert kids(keys) == {old.kid, new.kid}
    assert keys.signer().kid == old.kid

    clock.now += timedelta(seconds=301)
    assert keys.signer().kid == new.kid
    assert access_tokens.verify(keys, token) == CLAIMS

    clock.now += timedelta(seconds=1800)
    assert kids(keys) == {old.kid, new.kid}
    clock.now += timedelta(seconds=60)
    assert kids(keys) == {new.kid}
    with pytest.raises(AccessTokenInvalid):
        access_tokens.verify(keys, token)


def test_rotating_twice_before_activation_keeps_the_signing_key(tmp_path: Path) -> None:
    first = files.create(tmp_path, utc_now() - timedelta(hours=2))
    for _ in range(2):
        assert main(["rotate", str(tmp_path)]) == 0
    keys = KeyRing(tmp_path, SCHEDULE)
    assert keys.signer().kid == first.kid
    assert len(kids(keys)) == 3


def test_rotation_removes_retired_files_only(tmp_path: Path) -> None:
    retired = files.create(tmp_path, utc_now() - timedelta(days=2))
    current = files.create(tmp_path, utc_now() - timedelta(days=1))
    _, removed = rotation.rotate(tmp_path, SCHEDULE)
    assert removed == [retired.path]
    assert current.path.exists()


class MountedSecret:
    """As the kubelet mounts one: links into a folder that is replaced as a whole."""

    def __init__(self, mount: Path) -> None:
        self.mount = mount
        self._count = 0

    def update(self, entries: dict[str, bytes]) -> None:
        self._count += 1
        data = self.mount / f"..{self._count}"
        data.mkdir(parents=True)
        for name, content in entries.items():
            (data / name).write_bytes(content)
            (data / name).chmod(0o440)
        link = self.mount / "..data_tmp"
        link.symlink_to(data.name)
        link.rename(self.mount / "..data")
        for name in entries:
            if not (self.mount / name).is_symlink():
                (self.mount / name).symlink_to(Path("..data") / name)


def test_a_mounted_secret_is_rotated_by_a_second_entry_and_read_again_when_replaced(tmp_path: Path) -> None:
    secret = MountedSecret(tmp_path / "mount")
    made = [files.create(tmp_path / "made", utc_now() - timedelta(hours=hours)) for hours in (3, 1)]
    entries = {key.path.name: key.path.read_bytes() for key in made}
    old, new = sorted(entries)
    secret.update({old: entries[old]})
    keys = KeyRing(secret.mount, SCHEDULE)
    first = kids(keys)
    secret.update(entries)
    assert len(kids(keys) | first) == 2
    assert keys.signer().path.name == new
    # The same name with another key in it.
    secret.update({old: entries[new], new: entries[new]})
    assert first.isdisjoint(kids(keys))


@pytest.mark.parametrize("damage", ["empty", "garbage", "open"])
def test_a_damaged_key_stops_the_start_by_its_name_but_not_a_running_process(
    tmp_path: Path, damage: str
) -> None:
    files.create(tmp_path, utc_now() - timedelta(hours=1))
    running = KeyRing(tmp_path, SCHEDULE)
    bad = files.create(tmp_path, utc_now()).path
    if damage == "open":
        bad.chmod(0o644)
    else:
        bad.write_bytes(b"" if damage == "empty" else b"garbage")
    with pytest.raises(SigningKeysError, match=bad.name):
        KeyRing(tmp_path, SCHEDULE)
    assert len(kids(running)) == 1


def test_a_missing_key_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SigningKeysError, match="signing_keys rotate"):
        KeyRing(tmp_path, SCHEDULE)
    (tmp_path / "file").write_text("")
    assert main(["rotate", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err
