"""What the platform settles for every pod of a model: its image, where it may run, Pod Security
"restricted".
"""

from modelport_crds.mlmodel import MLModel, ModelVersion
from modelport_kube.kube import Object

from modelport_operator.core.bundles import bundle_of
from modelport_operator.core.naming import version_selector
from modelport_operator.settings import ENVIRONMENT, ENVIRONMENTS, OWN, Settings


def build_placement(settings: Settings) -> Object:
    """Only what is set: an empty field would differ from what the API server gives back."""
    fields: Object = {
        "nodeSelector": dict(settings.node_selector),
        "tolerations": list(settings.tolerations),
        "priorityClassName": settings.priority_class_name,
        "imagePullSecrets": [{"name": name} for name in settings.image_pull_secrets],
    }
    return {name: value for name, value in fields.items() if value}


def build_spread(model: MLModel, version: ModelVersion, replicas: int) -> Object:
    """Over nodes, for versions that have several pods."""
    if replicas <= 1:
        return {}
    constraint = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": version_selector(model, version.name)},
    }
    return {"topologySpreadConstraints": [constraint]}


def image_fields(model: MLModel, version: ModelVersion, settings: Settings) -> dict[str, str]:
    """Return the image of the version's environment or framework, and when a node pulls it."""
    return pulled(_image(model, version, settings), settings)


def pulled(image: str, settings: Settings) -> dict[str, str]:
    """Return the fields of a container in this image."""
    return {"image": image, "imagePullPolicy": settings.image_pull_policy}


def own_image(settings: Settings) -> str:
    """Return the image of versions whose packages are a bundle, which makes bundles too."""
    return settings.environment_image.replace(ENVIRONMENT, OWN)


def _image(model: MLModel, version: ModelVersion, settings: Settings) -> str:
    if bundle_of(model, version):
        return own_image(settings)
    environment = environment_of(version, settings)
    if environment is None:
        return settings.runtime_images[version.framework]
    image = settings.environment_image.replace(ENVIRONMENT, environment)
    # As an image's digest: it is what the environment is made of.
    return f"{image}@sha256:{version.lock.sha256}" if version.lock else image


def environment_of(version: ModelVersion, settings: Settings) -> str | None:
    """Return the environment that the version names, or its framework's where no image is given for that."""
    if version.environment is not None or version.framework in settings.runtime_images:
        return version.environment
    return ENVIRONMENTS[version.framework]


def pod_security(settings: Settings) -> Object:
    """Return the pod's security context: one user and group for all, never root, whoever gives the ids."""
    return {
        "runAsNonRoot": True,
        **settings.pod_security_context.model_dump(by_alias=True, exclude_none=True),
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> Object:
    """Return a container's security context: it writes to its volumes only."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
