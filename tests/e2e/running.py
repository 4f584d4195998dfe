"""The whole platform on a cluster, for tests and benches alike."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.cluster import ingress
from tests.cluster.cluster import Cluster
from tests.e2e import images, release
from tests.e2e.people import eventually
from tests.e2e.release import Platform


@contextmanager
def running(cluster: Cluster) -> Iterator[Platform]:
    """Bring this checkout's images and chart into the cluster, with an ingress in front; they stay there."""
    images.load_into(cluster)
    url = ingress.up(cluster)
    platform = release.platform_of(cluster, url)
    platform.release.ensure_namespace()
    with tempfile.TemporaryDirectory() as folder:
        release.install(platform.release, Path(folder))
    # The ingress controller hears of the routes a moment after helm does.
    eventually(lambda: httpx.get(f"{url}/healthz").status_code == 200, seconds=30)
    yield platform
