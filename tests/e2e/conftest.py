"""What every end-to-end test stands on: a real cluster, found or started once a run."""

import os

import pytest

from tests.cluster.finding import Cluster, NoCluster, find_or_start


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    try:
        found = find_or_start()
    except NoCluster as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no cluster for the end-to-end tests: {reason}")
        pytest.skip(f"no cluster for the end-to-end tests: {reason}")
    return found
