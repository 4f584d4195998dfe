"""PostgreSQL and Redis as images, from Debian's packages."""

from pathlib import Path

from tests.cluster import base_image, image_build
from tests.cluster.cluster import Cluster

# By the very names that the chart has by default, so that it can be installed with no values at all.
POSTGRES = "docker.io/library/postgres:17"
REDIS = "docker.io/library/redis:7"
_IMAGES = Path(__file__).parent / "images"


def load_into(cluster: Cluster) -> None:
    """Base image too, for pods that only need some Python."""
    for archive in archives().values():
        cluster.load_image(archive)


def archives() -> dict[str, Path]:
    arguments = base_image.build_args()
    return {
        base_image.TAG: image_build.archive(base_image.TAG),
        POSTGRES: image_build.build(
            _IMAGES / "postgres" / "Dockerfile", _IMAGES / "postgres", POSTGRES, arguments
        ),
        REDIS: image_build.build(_IMAGES / "redis" / "Dockerfile", _IMAGES / "redis", REDIS, arguments),
    }
