"""What can be wrong with a call on models."""

from collections.abc import Iterable

from modelport_crds.reasons import Reason

from modelport_control_api.errors import DomainError


class ModelError(DomainError):
    """The message says what happened and what to do."""


class ModelNotFound(ModelError):
    """None such, or someone else's: the same to the caller."""

    status = 404


class VersionNotFound(ModelError):
    """The model has no such version."""

    status = 404


class VersionNotReady(ModelError):
    """Traffic was requested for a version that cannot serve."""

    status = 409
    reason = Reason.NO_READY_VERSION


class VersionServing(ModelError):
    """A version that requests go to cannot be deleted."""

    status = 409


class VersionNotFailed(ModelError):
    """Only a version that has failed can be replaced or tried again."""

    status = 409


class NothingToRollBack(ModelError):
    """The traffic was never changed, or its earlier versions are gone."""

    status = 409


class TooManyVersions(ModelError):
    """The model has as many versions as one resource can hold."""

    status = 409


class ManagedWithKubectl(ModelError):
    """It was applied with kubectl: the API shows it and does not change it."""

    status = 409

    def __init__(self, namespace: str, name: str) -> None:
        super().__init__(
            "This model was applied with kubectl and is read-only here: "
            f"change it with kubectl -n {namespace} edit mlmodel {name}."
        )


class RolloutNotFound(ModelError):
    """The model has no rollout of this number."""

    status = 404


class RolloutOn(ModelError):
    """It would get in the way of the rollout that is going on."""

    status = 409

    def __init__(self, number: int, version: str) -> None:
        super().__init__(
            f"Rollout {number} of {version} is going on and has the traffic: "
            f"promote it, roll it back or cancel it first (POST …/rollouts/{number}/cancel)."
        )


class RolloutOver(ModelError):
    """It has ended, or somebody has decided how it ends."""

    status = 409


class NothingToRollOut(ModelError):
    """The version cannot be a candidate."""

    status = 409


class NoTruth(ModelError):
    """Nobody will know which version is right."""

    status = 409


class ExperimentNotFound(ModelError):
    """The model has no experiment of this number."""

    status = 404


class ExperimentOn(ModelError):
    """It would change what the experiment that is going on compares."""

    status = 409

    def __init__(self, number: int, arms: Iterable[str]) -> None:
        super().__init__(
            f"Experiment {number} of {', '.join(arms)} is going on and has the traffic: promote a version or "
            f"stop it first (POST …/experiments/{number}/stop)."
        )


class ExperimentOver(ModelError):
    """It has ended."""

    status = 409


class NotDecided(ModelError):
    """There is no winner that could be promoted."""

    status = 409


class LogsElsewhere(ModelError):
    """The platform may read no logs in the model's namespace."""

    status = 409

    def __init__(self, namespace: str, selector: str) -> None:
        super().__init__(f"Read its logs with kubectl -n {namespace} logs -l {selector}.")


class ArtifactElsewhere(ModelError):
    """The file of a model applied with kubectl is where its MLModel says."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "This model was applied with kubectl: its file is at spec.versions[].artifact.uri of its MLModel."
        )


class ClusterAway(ModelError):
    """Only the cluster knows, and it does not respond."""

    status = 503
    retry_after = 5


class KeyRestricted(ModelError):
    """The API key may use certain models only, so it cannot make another."""

    status = 403
