"""This checkout's images, brought into the cluster under the names that the chart gives them by default."""

import tomllib
from pathlib import Path

from modelport_environments.catalogue import BESIDE_OWN, find

from tests.cluster import base_image, image_build, stand_ins
from tests.cluster.cluster import Cluster

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]["version"]
PARTS = {
    "control-api": "control-api/Dockerfile",
    "gateway": "gateway/Dockerfile",
    "operator": "operator/Dockerfile",
    "runtime-sklearn": "model-runtime/Dockerfile.sklearn",
    "runtime-onnx": "model-runtime/Dockerfile.onnx",
}
ENVIRONMENT = "model-runtime/Dockerfile.environment"
OWN = "model-runtime/Dockerfile.own"


def image_of(part: str) -> str:
    # What a name without a registry means.
    return f"docker.io/library/modelport-{part}:{VERSION}"


def load_into(cluster: Cluster) -> dict[str, str]:
    """Build what has changed since the last run, and load it, PostgreSQL and Redis too; gives what tells each
    part's image from earlier ones of the same name."""
    image_build.prune()
    stand_ins.load_into(cluster)
    return {part: _load(cluster, part) for part in PARTS}


def _load(cluster: Cluster, part: str) -> str:
    archive = image_build.build(ROOT / PARTS[part], ROOT, image_of(part), base_image.build_args())
    cluster.load_image(archive)
    return archive.stem


def load_environment_into(cluster: Cluster, name: str) -> str:
    """Build the image of an environment, unless that is done, and load it; gives the image's name."""
    image = image_of(f"runtime-{name}")
    arguments = {**base_image.build_args(find(name).python), "ENVIRONMENT": name}
    cluster.load_image(image_build.build(ROOT / ENVIRONMENT, ROOT, image, arguments))
    return image


def has_environment(name: str) -> bool:
    """Whether its image was built, if only of what has changed since."""
    return image_build.exists(image_of(f"runtime-{name}"))


def forget_environment(cluster: Cluster, name: str) -> None:
    """Remove what load_environment_into made."""
    if has_environment(name):
        image = image_of(f"runtime-{name}")
        cluster.remove_image(image)
        image_build.forget(image)


def load_own_into(cluster: Cluster) -> str:
    """Build the image of own requirements, unless that is done, and load it; gives the image's name."""
    image = image_of("runtime-own")
    cluster.load_image(image_build.build(ROOT / OWN, ROOT, image, base_image.build_args(BESIDE_OWN.python)))
    return image
