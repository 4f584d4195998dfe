"""What can be wrong with a call on models; each is a plain fact, turned into an answer in `problems`."""


class ModelError(Exception):
    """The message says what happened and what to do."""


class ModelNotFound(ModelError):
    """None such, or someone else's: the same to the caller."""


class VersionNotFound(ModelError):
    """The model has no such version."""


class FieldErrors(ModelError):
    """The body is well-formed, and some fields are not acceptable: field → message."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field} {message}" for field, message in errors.items()))
        self.errors = errors


class VersionNotReady(ModelError):
    """Traffic was asked for a version that cannot answer."""


class VersionServing(ModelError):
    """A version that requests go to cannot be deleted."""


class NothingToRollBack(ModelError):
    """The traffic was never changed, or its earlier versions are gone."""


class TooManyVersions(ModelError):
    """The model has as many versions as one resource can hold."""


class ManagedWithKubectl(ModelError):
    """It was applied with kubectl: the API shows it and does not change it."""

    def __init__(self, namespace: str, name: str) -> None:
        super().__init__(
            "This model was applied with kubectl and is read-only here: "
            f"change it with kubectl -n {namespace} edit mlmodel {name}."
        )


class LogsElsewhere(ModelError):
    """The platform may read no logs in the model's namespace."""

    def __init__(self, namespace: str, selector: str) -> None:
        super().__init__(f"Read its logs with kubectl -n {namespace} logs -l {selector}.")


class ClusterAway(ModelError):
    """Only the cluster knows, and it does not answer."""


class KeyRestricted(ModelError):
    """The API key may use certain models only, so it cannot make another."""
