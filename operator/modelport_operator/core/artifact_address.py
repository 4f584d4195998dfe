"""Where the init container finds a version's file."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from modelport_crds.mlmodel import Artifact, MLModel
from modelport_crds.names import ANNOTATION_CREDENTIALS, ARTIFACT_SCHEME

from modelport_operator.settings import Settings

CLAIM_DIR = "/modelport/source"


@dataclass(frozen=True)
class Source:
    """What the init container is told and given. `claim`: a PersistentVolumeClaim, mounted at `CLAIM_DIR`;
    `secret`: the Secret that becomes its environment."""

    address: str
    claim: str | None = None
    secret: str | None = None


def is_in_platform_store(artifact: Artifact) -> bool:
    return artifact.uri.startswith(f"{ARTIFACT_SCHEME}:")


def artifact_source(model: MLModel, artifact: Artifact, settings: Settings) -> Source:
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
    digest = artifact.uri.removeprefix(f"{ARTIFACT_SCHEME}:")
    return settings.artifact_base_url.replace("{sha256}", digest).replace("{prefix}", digest[:2])


def _credentials(model: MLModel, settings: Settings) -> str | None:
    own = model.metadata.annotations.get(ANNOTATION_CREDENTIALS)
    return own or settings.artifact_credentials_secret or None
