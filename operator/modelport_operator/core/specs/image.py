"""Which image a version's containers run."""

from modelport_crds.mlmodel import ModelVersion

from modelport_operator.settings import Settings


def image_fields(version: ModelVersion, settings: Settings) -> dict[str, str]:
    image = settings.runtime_images[version.framework]
    return {"image": image, "imagePullPolicy": settings.image_pull_policy}
