"""What a runtime's containers are told: everything through the environment, as docs/contracts.md has it."""

import json
from collections.abc import Mapping

from modelport_crds.mlmodel import MLModel, ModelVersion
from modelport_crds.names import public_id

from modelport_operator.core.artifact_address import Source
from modelport_operator.core.quantities import to_bytes
from modelport_operator.settings import Settings

ARTIFACT_DIR = "/modelport/artifact"
ARTIFACT_PATH = f"{ARTIFACT_DIR}/model"
RUN_DIR = "/modelport/run"

EnvVars = list[dict[str, str]]


def build_fetch_env(version: ModelVersion, source: Source) -> EnvVars:
    return _env_vars(
        {
            "MODELPORT_FETCH_URI": source.address,
            "MODELPORT_FETCH_SHA256": version.artifact.sha256,
            "MODELPORT_FETCH_TO": ARTIFACT_PATH,
        }
    )


def build_runtime_env(model: MLModel, version: ModelVersion, settings: Settings) -> EnvVars:
    metadata = model.metadata
    facts = {
        "MODEL": public_id(metadata.namespace, metadata.name, models_namespace=settings.models_namespace),
        "VERSION": version.name,
        "FRAMEWORK": version.framework,
        "ARTIFACT": ARTIFACT_PATH,
        "ARTIFACT_SHA256": version.artifact.sha256,
        "LISTEN": settings.runtime_listen,
        "LOAD_TIMEOUT_SECONDS": str(settings.load_timeout_seconds),
        "MEMORY_BYTES": str(memory_bytes(version, settings)),
        "MAX_BATCH_SIZE": str(model.spec.batching.max_batch_size),
        "MAX_BODY_BYTES": str(settings.runtime_max_body_bytes),
        **_sample(version),
        **({"ALLOW_UNSANDBOXED": "true"} if settings.allow_unsandboxed else {}),
    }
    return _env_vars({f"MODELPORT_RUNTIME_{name}": value for name, value in facts.items()})


def memory_bytes(version: ModelVersion, settings: Settings) -> int:
    limit = version.resources.limits.get("memory")
    return to_bytes(limit) if limit else settings.runtime_memory_bytes


def _sample(version: ModelVersion) -> dict[str, str]:
    if version.sample is None:
        return {}
    text = json.dumps(version.sample, separators=(",", ":"))
    # Kubernetes expands $(NAME) and halves $$ in values; JSON has another way to write the sign.
    return {"SAMPLE": text.replace("$", "\\u0024")}


def _env_vars(facts: Mapping[str, str]) -> EnvVars:
    return [{"name": name, "value": value} for name, value in facts.items()]
