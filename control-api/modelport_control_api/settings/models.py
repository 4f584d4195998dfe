"""The settings of models, uploads and artifacts; part of the control API's own."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ModelsSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MODELPORT_CONTROL_API_", use_attribute_docstrings=True)

    artifacts_url: str
    """Where model files are kept: an absolute path or `file://` URL of a folder that only this process uses,
    or `s3://bucket/prefix` (credentials as obstore reads them from the environment)."""

    scratch_dir: Path | None = None
    """Folder for uploads on their way to a remote artifact store; one in the system's temporary folder unless
    given. A local store collects them in itself, since a rename is atomic within one filesystem only."""

    user_max_models: int = Field(default=200, ge=0)
    """Models that a user may hold. An administrator can set another number for a user."""

    user_max_bytes: int = Field(default=20_000_000_000, ge=0)
    """Bytes that a user's files may have together: of models, with versions that get no requests, of batch
    jobs and of drift references. An administrator can set another number for a user."""

    disk_reserve_bytes: int | None = Field(default=None, ge=0)
    """Bytes that are left free on the disks of a local artifact store and of SQLite: below that uploads and
    jobs are answered with 507 and results wait, while logins, deletes and usage go on. Unless given: 256 MB,
    or a twentieth of a disk of less than 5 GB."""

    artifact_grace_seconds: float | None = Field(default=None, ge=0)
    """Age in seconds below which an unreferenced file is left alone: another process may be about to commit
    the row that names it. Unless given: 300, and 0 with SQLite, where there is one process."""

    models_namespace: str = "modelport-models"
    """Namespace that the platform's own MLModels are written to."""

    watch_all_namespaces: bool = False
    """Also show admins the models of other namespaces. Off: the control API needs rights in one only."""

    overwrite_outside_changes: bool = False
    """Every ten minutes make the cluster's models as the database has them. Off: what kubectl changed or
    deleted stays so, and is shown, until the model is next changed or redeployed through the API."""

    upload_idle_seconds: float = Field(default=60, gt=0)
    """Seconds without a byte after which an upload is given up."""

    batch_max_replicas: int = Field(default=2, ge=1, le=16)
    """Most pods that do the batch jobs of one version; each job asks for one."""

    public_url: str | None = None
    """Address that users reach the platform at (`https://models.example.com`), for `predict_url` and
    invitations. Unless given they are paths, but for who calls the platform by a name of loopback."""
