"""`make usage-exact` in small: each part restarted once under load, and the ledger has what was answered."""

from pathlib import Path

import pytest

from bench.usage import restarts


@pytest.mark.timeout(600)
def test_each_request_is_counted_once_while_every_part_is_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restarts, "_AWAY_SECONDS", 0.5)
    monkeypatch.setattr(restarts, "_SERVES_ON_SECONDS", 0.3)
    load, done, found = restarts.measure(6000, 1, tmp_path, per_second=500)
    assert len({name for name, _, _ in done}) == len(done) == 6
    assert load.answered.total() == 6000
    assert found == load.answered
