"""Where the init container finds a version's file."""

from modelport_crds.mlmodel import Artifact
from modelport_crds.names import ARTIFACT_SCHEME

from modelport_operator.settings import Settings


def is_in_platform_store(artifact: Artifact) -> bool:
    return artifact.uri.startswith(f"{ARTIFACT_SCHEME}:")


def artifact_address(artifact: Artifact, settings: Settings) -> str:
    """Turn `artifact:<sha256>` into the store's address; any other URI is an address already."""
    if not is_in_platform_store(artifact):
        return artifact.uri
    digest = artifact.uri.removeprefix(f"{ARTIFACT_SCHEME}:")
    return settings.artifact_base_url.replace("{sha256}", digest).replace("{prefix}", digest[:2])
