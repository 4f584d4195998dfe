"""The whole platform on a cluster, for tests and benches alike."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.cluster import ingress
from tests.cluster.cluster import Cluster
from tests.e2e import release
from tests.e2e.release import Platform
from tests.support.waiting import eventually


@contextmanager
def running(cluster: Cluster, loaded: dict[str, str], chart: Path = release.CHART) -> Iterator[Platform]:
    """Install the chart on images that were loaded, with an ingress in front. It stays there."""
    url = ingress.up(cluster)
    platform = release.platform_of(cluster, url)
    platform.release.ensure_namespace()
    with tempfile.TemporaryDirectory() as folder:
        release.install(platform.release, Path(folder), loaded, chart)
    # The ingress controller hears of the routes a moment after helm does.
    eventually(lambda: httpx.get(f"{url}/healthz", timeout=60).status_code == 200, seconds=120)
    yield platform
