"""Looks at the label of the Secret that a model names for its artifacts, and at nothing else of it."""

from collections.abc import Mapping

from modelport_crds.mlmodel import MLModel
from modelport_kube.kube import Kube, KubeError

from modelport_operator.core.credentials import (
    explain_unlabeled,
    explain_unlisted,
    named_secret,
    versions_with_credentials,
)
from modelport_operator.core.problems import Problem
from modelport_operator.settings import Settings
from modelport_operator.shell.applying import is_refusal


async def without_credentials(kube: Kube, model: MLModel, settings: Settings) -> Mapping[str, Problem]:
    """The versions that may not have the credentials that they would need, and why."""
    versions, secret = versions_with_credentials(model), named_secret(model, settings)
    if not versions or secret is None:
        return {}
    problem = await _problem(kube, model.metadata.namespace, secret)
    return {} if problem is None else dict.fromkeys(versions, problem)


async def _problem(kube: Kube, namespace: str, secret: str) -> Problem | None:
    try:
        return explain_unlabeled(secret, await kube.metadata("Secret", namespace, secret))
    except KubeError as error:
        if not is_refusal(error):
            raise
        return explain_unlisted(secret)
