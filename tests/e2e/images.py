"""The platform's images as they are in this checkout, brought into the cluster."""

from pathlib import Path

from tests.cluster import base_image, image_build, stand_ins
from tests.cluster.cluster import Cluster

ROOT = Path(__file__).parents[2]
REGISTRY, TAG = "localhost", "e2e"
PARTS = {
    "control-api": "control-api/Dockerfile",
    "gateway": "gateway/Dockerfile",
    "operator": "operator/Dockerfile",
    "runtime-sklearn": "model-runtime/Dockerfile.sklearn",
    "runtime-onnx": "model-runtime/Dockerfile.onnx",
}


def image_of(part: str) -> str:
    return f"{REGISTRY}/modelport-{part}:{TAG}"


def load_into(cluster: Cluster) -> None:
    """Build what has changed since the last run, and load it. PostgreSQL and Redis too."""
    stand_ins.load_into(cluster)
    for part, dockerfile in PARTS.items():
        archive = image_build.build(ROOT / dockerfile, ROOT, image_of(part), base_image.build_args())
        cluster.load_image(archive)
