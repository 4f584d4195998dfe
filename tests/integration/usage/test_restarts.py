"""`make usage-exact` in small: each part restarted once under load, and the ledger has what was answered."""

import importlib
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[3] / "bench"


@pytest.mark.timeout(600)
def test_each_request_is_counted_once_while_every_part_is_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only while this runs: names of the bench's modules are short.
    monkeypatch.setattr(sys, "path", [str(BENCH), *sys.path])
    restarts = importlib.import_module("usage_restarts")
    monkeypatch.setattr(restarts, "_AWAY_SECONDS", 0.5)
    monkeypatch.setattr(restarts, "_SERVES_ON_SECONDS", 0.3)
    load, done, found = restarts.measure(6000, 1, tmp_path, per_second=500)
    assert len({name for name, _, _ in done}) == len(done) == 6
    assert load.answered.total() == 6000
    assert found == load.answered
