"""Models, and the cluster that serves them."""

from pydantic import Field

from modelport_control_api.settings.uploads import UploadSettings


class ModelsSettings(UploadSettings):
    user_max_models: int = Field(default=200, ge=0)
    """Models that a user may hold. An administrator can set another number for a user."""

    user_max_bytes: int = Field(default=20_000_000_000, ge=0)
    """Bytes that a user's files may have together: of models, with versions that get no requests, of batch
    jobs and of drift references. An administrator can set another number for a user."""

    models_namespace: str = "modelport-models"
    """Namespace that the platform's own MLModels are written to."""

    watch_all_namespaces: bool = False
    """Also show admins the models of other namespaces. Off: the control API needs rights in one only."""

    overwrite_outside_changes: bool = False
    """Every ten minutes make the cluster's models as the database has them. Off: what kubectl changed or
    deleted stays so, and is shown, until the model is next changed or redeployed through the API."""

    public_url: str | None = None
    """Address that users reach the platform at (`https://models.example.com`), for `predict_url` and
    invitations. Unless given they are paths, but for who calls the platform by a name of loopback."""
