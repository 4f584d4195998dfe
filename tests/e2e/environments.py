"""Images of environments, loaded into the cluster where there is room to make them."""

import shutil

import pytest

from tests.cluster import folders
from tests.cluster.cluster import Cluster
from tests.e2e import images
from tests.e2e.conftest import showing_progress

_LARGE = ("torch-2.15", "transformers-5.24")
_GIB = 1 << 30
# Measured: 19, for 3.3 that buildah has up to five times while it copies and commits them. With less than 1 %
# of the disk free the node removes images, the pause image with them.
_ROOM_FOR_LARGE = 22 * _GIB


def load_environment(pytestconfig: pytest.Config, cluster: Cluster, name: str) -> None:
    """Skips the test where an image is too large for this machine's disk."""
    with showing_progress(pytestconfig):
        if name in _LARGE:
            _have_room(cluster, name)
        images.load_environment_into(cluster, name)


def _have_room(cluster: Cluster, name: str) -> None:
    """Of the large ones the disk holds one at a time."""
    for other in _LARGE:
        if other != name:
            images.forget_environment(cluster, other)
    free = shutil.disk_usage(folders.cache()).free
    if not images.has_environment(name) and free < _ROOM_FOR_LARGE:
        pytest.skip(f"the image of {name} takes {_ROOM_FOR_LARGE // _GIB} GiB while it is made")
