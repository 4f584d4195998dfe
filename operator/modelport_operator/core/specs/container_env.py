"""The environment of a runtime's containers, as docs/contracts.md has it, and where the init container
finds the file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from modelport_crds.mlmodel import Artifact, MLModel, ModelVersion
from modelport_crds.names import (
    ANNOTATION_CREDENTIALS,
    ARTIFACT_SCHEME,
    LABEL_MANAGED_BY,
    MANAGED_BY_CONTROL_API,
    public_id,
)

from modelport_operator.core.bundles import bundle_of
from modelport_operator.core.quantities import to_bytes
from modelport_operator.core.specs.pod_settings import environment_of
from modelport_operator.settings import Settings

CLAIM_DIR = "/modelport/source"


@dataclass(frozen=True)
class Source:
    """What the init container gets as settings and mounts. `claim`: a PersistentVolumeClaim, mounted at
    `CLAIM_DIR`;
    `secret`: the Secret that becomes its environment."""

    address: str
    claim: str | None = None
    secret: str | None = None


def is_in_platform_store(artifact: Artifact) -> bool:
    """Return whether the URI is `artifact:<sha256>`; else it is an address outside."""
    return artifact.uri.startswith(f"{ARTIFACT_SCHEME}:")


def artifact_source(model: MLModel, artifact: Artifact, settings: Settings) -> Source:
    """Return where the pod gets the file from, and the volume or Secret that it needs for it."""
    address = artifact_address(artifact, settings)
    url = urlsplit(address)
    if url.scheme == "pvc":
        return Source(f"file://{CLAIM_DIR}{url.path}", claim=url.netloc)
    if url.scheme == "s3":
        return Source(address, secret=_credentials(model, settings))
    return Source(address)


def artifact_address(artifact: Artifact, settings: Settings) -> str:
    """Turn `artifact:<sha256>` into the store's address; any other URI is an address already."""
    if not is_in_platform_store(artifact):
        return artifact.uri
    return stored_at(artifact.uri.removeprefix(f"{ARTIFACT_SCHEME}:"), settings)


def stored_at(digest: str, settings: Settings) -> str:
    """Return the address of a file in the platform's own store."""
    return settings.artifact_base_url.replace("{sha256}", digest).replace("{prefix}", digest[:2])


def _credentials(model: MLModel, settings: Settings) -> str | None:
    own = model.metadata.annotations.get(ANNOTATION_CREDENTIALS)
    return own or settings.artifact_credentials_secret or None


ARTIFACT_DIR = "/modelport/artifact"
ARTIFACT_PATH = f"{ARTIFACT_DIR}/model"
RUN_DIR = "/modelport/run"
PACKAGES_DIR = f"{ARTIFACT_DIR}/packages"
"""Where the image of own requirements looks for them."""

EnvVars = list[dict[str, str]]

_PREFIX = "MODELPORT_RUNTIME_"

# The runtime's own default. Set again it would only be another template, and restart every pod.
_USUAL_RECHECK_EVERY = 1000


def build_fetch_env(version: ModelVersion, source: Source) -> EnvVars:
    """Return what the init container reads, except credentials: from where, the digest, and to where."""
    return _env_vars(
        {
            "MODELPORT_FETCH_URI": source.address,
            "MODELPORT_FETCH_SHA256": version.artifact.sha256,
            "MODELPORT_FETCH_TO": ARTIFACT_PATH,
        }
    )


def build_bundle_env(model: MLModel, version: ModelVersion, settings: Settings) -> EnvVars:
    """Return what the init container reads of the version's own packages; nothing if it has none."""
    bundle = bundle_of(model, version)
    if not bundle:
        return []
    return _env_vars(
        {
            "MODELPORT_FETCH_BUNDLE_URI": stored_at(bundle, settings),
            "MODELPORT_FETCH_BUNDLE_SHA256": bundle,
            "MODELPORT_FETCH_BUNDLE_MAX_BYTES": str(settings.bundle_max_bytes),
        }
    )


def build_runtime_env(model: MLModel, version: ModelVersion, settings: Settings) -> EnvVars:
    """Return what the runtime reads. Raises ValueError for a memory limit that is no quantity."""
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
        **_sample(model, version),
        **_acceleration(model, version, settings),
        **({"ALLOW_UNSANDBOXED": "true"} if settings.allow_unsandboxed else {}),
    }
    return _env_vars({f"{_PREFIX}{name}": value for name, value in facts.items()})


def memory_bytes(version: ModelVersion, settings: Settings) -> int:
    """Return the version's memory limit in bytes; the settings' where it has none."""
    limit = version.resources.limits.get("memory")
    return to_bytes(limit) if limit else settings.runtime_memory_bytes


def _acceleration(model: MLModel, version: ModelVersion, settings: Settings) -> dict[str, str]:
    if model.spec.acceleration == "off":
        return {"ACCELERATION": "off"}
    apart = environment_of(version, settings) is not None
    every = settings.environment_recheck_every if apart else settings.recheck_every
    return {} if every == _USUAL_RECHECK_EVERY else {"RECHECK_EVERY": str(every)}


def without_acceleration(env: EnvVars) -> EnvVars:
    """The same for a runtime whose model always predicts itself."""
    decided = {f"{_PREFIX}ACCELERATION", f"{_PREFIX}RECHECK_EVERY"}
    kept = [variable for variable in env if variable["name"] not in decided]
    return [*kept, *_env_vars({f"{_PREFIX}ACCELERATION": "off"})]


def _sample(model: MLModel, version: ModelVersion) -> dict[str, str]:
    if version.sample is None:
        return {}
    # The control API lists the columns; it shows as out of sync what it published before it did so.
    is_ours = model.metadata.labels.get(LABEL_MANAGED_BY) == MANAGED_BY_CONTROL_API
    lost = {} if is_ours or not version.has_lost_order else {"unordered": True}
    text = json.dumps({**(version.ordered_sample or {}), **lost}, separators=(",", ":"))
    # Kubernetes expands $(NAME) and halves $$ in values; JSON has another way to write the sign.
    return {"SAMPLE": text.replace("$", "\\u0024")}


def _env_vars(facts: Mapping[str, str]) -> EnvVars:
    return [{"name": name, "value": value} for name, value in facts.items()]
