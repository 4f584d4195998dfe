"""Which key signs, which are still published, which can go: by their ages alone; and doing it in the
folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from modelport_control_api.db.base import utc_now
from modelport_control_api.signing_keys import files
from modelport_control_api.signing_keys.files import SigningKey

# Clocks of gateways may differ from ours by this much.
CLOCK_LEEWAY = timedelta(seconds=60)


@dataclass(frozen=True)
class Schedule:
    """A new key is published at once, signs after `activation`; its forerunner goes `token_life` later."""

    activation: timedelta
    token_life: timedelta

    def signer(self, keys: Sequence[SigningKey], now: datetime) -> SigningKey:
        """The newest activated key. `keys` is sorted by age, oldest first, and not empty."""
        activated = [key for key in keys if key.created_at + self.activation <= now]
        # The very first key has no forerunner to wait for.
        return activated[-1] if activated else keys[0]

    def published(self, keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
        """All but those whose every token has expired."""
        retired = {key.kid for key, successor in pairwise(keys) if self._has_taken_over(successor, now)}
        return [key for key in keys if key.kid not in retired]

    def _has_taken_over(self, successor: SigningKey, now: datetime) -> bool:
        last_token_ends = successor.created_at + self.activation + self.token_life + CLOCK_LEEWAY
        return last_token_ends <= now


DEFAULT_ACTIVATION_SECONDS = 300
DEFAULT_TOKEN_SECONDS = 1800


def schedule(activation_seconds: int, token_seconds: int) -> Schedule:
    """Return the schedule. `token_seconds`: the longest life of a token."""
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
