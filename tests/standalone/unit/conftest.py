"""A LocalCluster whose pods are tiny servers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from modelport_standalone.local_cluster.cluster import LocalCluster
from modelport_standalone.local_cluster.probes import Timings


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[LocalCluster]:
    timings = Timings(starting_probe=0.02, first_restart=0.1, longest_grace=0.5)
    made = LocalCluster(tmp_path / "cluster", timings)
    async with made.running():
        yield made
