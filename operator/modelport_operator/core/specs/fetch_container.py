"""The init container of one version: it alone sees where the file comes from, and the credentials for it."""

from modelport_crds.mlmodel import MLModel, ModelVersion
from modelport_kube.kube import Object

from modelport_operator.core.specs.container_env import (
    ARTIFACT_DIR,
    CLAIM_DIR,
    Source,
    build_bundle_env,
    build_fetch_env,
)
from modelport_operator.core.specs.pod_settings import container_security, image_fields
from modelport_operator.settings import Settings

_VOLUME = "source"
# What the runtime's fetch reads of the environment.
_NEEDED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_POSSIBLE = (
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
)


def build_fetch_container(
    model: MLModel, version: ModelVersion, source: Source, settings: Settings
) -> Object:
    """Return the init container, which puts the file at `ARTIFACT_PATH`; it may hold 256 MiB in memory."""
    claim_mount = {"name": _VOLUME, "mountPath": CLAIM_DIR, "readOnly": True}
    return {
        "name": "fetch",
        **image_fields(model, version, settings),
        "command": ["python", "-I", "-m", "modelport_runtime.fetch"],
        "env": [
            *build_fetch_env(version, source),
            *build_bundle_env(model, version, settings),
            *_credentials(source),
        ],
        "securityContext": container_security(),
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "artifact", "mountPath": ARTIFACT_DIR},
            *([claim_mount] if source.claim else []),
        ],
    }


def _credentials(source: Source) -> list[Object]:
    """Key by key: of a Secret that holds more, the rest stays where it is."""
    if source.secret is None:
        return []
    return [
        {
            "name": key,
            "valueFrom": {
                "secretKeyRef": {"name": source.secret, "key": key, "optional": key not in _NEEDED}
            },
        }
        for key in (*_NEEDED, *_POSSIBLE)
    ]


def source_volumes(source: Source) -> list[Object]:
    """Return the volume of a source on a claim, read-only; of any other source none."""
    if source.claim is None:
        return []
    claim = {"claimName": source.claim, "readOnly": True}
    return [{"name": _VOLUME, "persistentVolumeClaim": claim}]
