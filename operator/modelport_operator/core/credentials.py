"""The Secret that a model names for its artifacts: only one that its owner has labeled for that.

Else anyone who may write MLModels could have a Secret used that they may not read.
"""

from modelport_crds.mlmodel import MLModel
from modelport_crds.names import ANNOTATION_CREDENTIALS, LABEL_CREDENTIALS
from modelport_crds.reasons import Reason
from modelport_kube.kube import Object

from modelport_operator.core.problems import Problem
from modelport_operator.settings import Settings


def named_secret(model: MLModel, settings: Settings) -> str | None:
    """The Secret that has to be labeled; None: the model names none, or none but the platform's own."""
    named = model.metadata.annotations.get(ANNOTATION_CREDENTIALS)
    return named if named and named != settings.artifact_credentials_secret else None


def versions_with_credentials(model: MLModel) -> list[str]:
    """Return the names of versions whose file is in S3, in order: no other source takes credentials."""
    return [version.name for version in model.spec.versions if version.artifact.uri.startswith("s3://")]


def explain_unlabeled(name: str, metadata: Object | None) -> Problem | None:
    """None: it may be used. That there is none is reported in the same words: names of Secrets are secret
    too.
    """
    if (metadata or {}).get("labels", {}).get(LABEL_CREDENTIALS) == "true":
        return None
    return Problem(
        Reason.POD_INCOMPLETE,
        f"{ANNOTATION_CREDENTIALS} names the Secret {name!r}, but none of that name is labeled "
        f"{LABEL_CREDENTIALS}=true.",
    )


def explain_unlisted(name: str) -> Problem:
    """Return the problem of a Secret that the cluster does not let the operator look at."""
    return Problem(
        Reason.POD_INCOMPLETE,
        f"{ANNOTATION_CREDENTIALS} names the Secret {name!r}, which is none of those that the chart's "
        "runtime.artifactCredentialsSecrets allows.",
    )
