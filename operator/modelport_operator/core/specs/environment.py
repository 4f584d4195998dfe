"""The environment of a version's two containers, as docs/contracts.md has it. It holds no credential."""

import json

from modelport_crds import names
from modelport_crds.mlmodel import MLModel, ModelVersion

from modelport_operator.core.naming import Object
from modelport_operator.settings import Settings

ARTIFACT_FOLDER = "/modelport/artifact"
RUN_FOLDER = "/modelport/run"
ARTIFACT_PATH = f"{ARTIFACT_FOLDER}/model"


def artifact_url(uri: str, settings: Settings) -> str:
    """Where the init container fetches from: the platform's own store by digest, anything else as it stands."""
    scheme, _, digest = uri.partition(":")
    if scheme != names.ARTIFACT_SCHEME:
        return uri
    return settings.artifact_base_url.format(sha256=digest, prefix=digest[:2])


def fetch_environment(version: ModelVersion, settings: Settings) -> list[Object]:
    return _listed(
        {
            "MODELPORT_FETCH_URI": artifact_url(version.artifact.uri, settings),
            "MODELPORT_FETCH_SHA256": version.artifact.sha256,
            "MODELPORT_FETCH_TO": ARTIFACT_PATH,
        }
    )


def runtime_environment(model: MLModel, version: ModelVersion, settings: Settings) -> list[Object]:
    public_id = names.public_id(
        model.metadata.namespace, model.metadata.name, models_namespace=settings.models_namespace
    )
    values = {
        "MODELPORT_RUNTIME_MODEL": public_id,
        "MODELPORT_RUNTIME_VERSION": version.name,
        "MODELPORT_RUNTIME_FRAMEWORK": version.framework,
        "MODELPORT_RUNTIME_ARTIFACT": ARTIFACT_PATH,
        "MODELPORT_RUNTIME_ARTIFACT_SHA256": version.artifact.sha256,
        "MODELPORT_RUNTIME_LISTEN": settings.listen,
        "MODELPORT_RUNTIME_LOAD_TIMEOUT_SECONDS": str(settings.load_timeout_seconds),
        "MODELPORT_RUNTIME_MEMORY_BYTES": str(settings.runtime_memory_bytes),
        "MODELPORT_RUNTIME_MAX_BATCH_SIZE": str(model.spec.batching.max_batch_size),
        "MODELPORT_RUNTIME_MAX_BODY_BYTES": str(settings.max_body_bytes),
        "MODELPORT_RUNTIME_ALLOW_UNSANDBOXED": str(settings.allow_unsandboxed).lower(),
    }
    if version.sample is not None:
        values["MODELPORT_RUNTIME_SAMPLE"] = json.dumps(version.sample)
    return _listed(values)


def _listed(values: dict[str, str]) -> list[Object]:
    return [{"name": name, "value": value} for name, value in values.items()]
