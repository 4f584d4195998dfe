"""Making the first key, adding the next one, removing what nothing is signed with any more."""

from datetime import timedelta
from pathlib import Path

from modelport_control_api.db.base import utc_now
from modelport_control_api.signing_keys import files
from modelport_control_api.signing_keys.files import SigningKey
from modelport_control_api.signing_keys.rotation import Schedule

DEFAULT_ACTIVATION_SECONDS = 300
DEFAULT_TOKEN_SECONDS = 1800


def schedule(activation_seconds: int, token_seconds: int) -> Schedule:
    return Schedule(timedelta(seconds=activation_seconds), timedelta(seconds=token_seconds))


def create_first(folder: Path) -> None:
    """Make a key if the folder has none."""
    if not folder.is_dir() or not files.list_files(folder):
        files.create(folder, utc_now())


def rotate(folder: Path, when: Schedule) -> tuple[SigningKey, list[Path]]:
    """Add a key and remove retired ones. Returns the new key and the files removed."""
    key = files.create(folder, utc_now())
    keys = [files.read(path) for path in files.list_files(folder)]
    published = {kept.kid for kept in when.published(keys, utc_now())}
    retired = [old.path for old in keys if old.kid not in published]
    for path in retired:
        path.unlink()
    return key, retired
