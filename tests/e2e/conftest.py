"""What every end-to-end test stands on: a real cluster, found or started once a run."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.cluster.finding import Cluster, NoCluster, find_or_start
from tests.cluster.progress import say
from tests.e2e import images
from tests.e2e.release import Platform
from tests.e2e.running import running

_HERE = Path(__file__).parent
_SECONDS = {
    "cluster": 1500,
    "loaded_images": 1500,
    "platform": 1800,
    "environment_image": 2400,
    "own_image": 2400,
    "cores_to_itself": 7200,
}
"""What the first test that needs this fixture may take, on a slow machine too."""
_MEASURE_GAPS = tuple(_HERE / name for name in ("disturbances", "upgrades"))


def showing_progress(config: pytest.Config) -> AbstractContextManager[None]:
    """What takes minutes says so while it goes on, not only when it has failed."""
    capturing = config.pluginmanager.getplugin("capturemanager")
    shown: AbstractContextManager[None] = capturing.global_and_fixture_disabled()
    return shown


# After those that were not asked for have gone.
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of a fixture that takes long may take as long; what measures gaps comes last."""
    items.sort(key=lambda item: any(item.path.is_relative_to(folder) for folder in _MEASURE_GAPS))
    ours = [item for item in items if item.path.is_relative_to(_HERE)]
    for fixture, seconds in _SECONDS.items():
        if waits := _first_with(fixture, ours):
            waits.add_marker(pytest.mark.timeout(seconds), append=False)


def _first_with(fixture: str, items: list[pytest.Item]) -> pytest.Item | None:
    return next((item for item in items if fixture in getattr(item, "fixturenames", ())), None)


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Cluster:
    try:
        with showing_progress(pytestconfig):
            found = find_or_start()
    except NoCluster as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(f"no cluster for the end-to-end tests: {reason}")
        pytest.skip(f"no cluster for the end-to-end tests: {reason}")
    return found


# Of a module, not the run: what they measure is made first, while the other tests still run.
@pytest.fixture(scope="module")
def cores_to_itself(pytestconfig: pytest.Config) -> None:
    """Wait until the tests that `make test` runs beside these have ended: they make gaps too."""
    if lock := os.environ.get("MODELPORT_OTHER_TESTS"):
        with showing_progress(pytestconfig), Path(lock).open() as others:
            say("What measures gaps begins when the other tests have ended")
            fcntl.flock(others, fcntl.LOCK_SH)


@pytest.fixture(scope="session")
def loaded_images(pytestconfig: pytest.Config, cluster: Cluster) -> dict[str, str]:
    try:
        with showing_progress(pytestconfig):
            return images.load_into(cluster)
    except NoCluster as reason:
        pytest.skip(f"the cluster cannot be given images: {reason}")


@pytest.fixture(scope="session")
def environment_image(pytestconfig: pytest.Config, cluster: Cluster, loaded_images: dict[str, str]) -> str:
    """The image of the environment sklearn-1.2, and of no other. It follows the cluster's other images."""
    with showing_progress(pytestconfig):
        return images.load_environment_into(cluster, "sklearn-1.2")


@pytest.fixture(scope="session")
def own_image(pytestconfig: pytest.Config, cluster: Cluster, loaded_images: dict[str, str]) -> str:
    """The image of versions with packages of their own. It follows the cluster's other images."""
    with showing_progress(pytestconfig):
        return images.load_own_into(cluster)


@pytest.fixture(scope="session")
def platform(cluster: Cluster, loaded_images: dict[str, str]) -> Iterator[Platform]:
    """The chart of this checkout with its own images, behind an ingress."""
    with running(cluster, loaded_images) as installed:
        yield installed
