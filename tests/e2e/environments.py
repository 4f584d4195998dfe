"""Images of environments, loaded into the cluster where there is room to make them."""

import shutil

import pytest

from tests.cluster import folders
from tests.cluster.cluster import Cluster
from tests.e2e import images
from tests.e2e.conftest import showing_progress

_LARGE = ("torch-2.15", "transformers-5.24")
_GIB = 1 << 30
# An image of 4 GiB lies in four places: twice with buildah, as an archive, and unpacked on the node.
_ROOM_FOR_LARGE = 30 * _GIB


def load_environment(pytestconfig: pytest.Config, cluster: Cluster, name: str) -> None:
    """Skips the test where an image is too large for this machine's disk."""
    if name in _LARGE and shutil.disk_usage(folders.cache()).free < _ROOM_FOR_LARGE:
        pytest.skip(f"the image of {name} takes {_ROOM_FOR_LARGE // _GIB} GiB while it is made")
    with showing_progress(pytestconfig):
        images.load_environment_into(cluster, name)
