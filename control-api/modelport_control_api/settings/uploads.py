"""How files are received, and where they are kept."""

from pathlib import Path

from modelport_store.store import Limit
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from modelport_control_api.settings.types import LimitSetting


class UploadSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MODELPORT_CONTROL_API_", use_attribute_docstrings=True)

    artifacts_url: str
    """Where model files are kept: an absolute path or `file://` URL of a folder that only this process uses,
    or `s3://bucket/prefix` (credentials as obstore reads them from the environment)."""

    scratch_dir: Path | None = None
    """Folder for uploads on their way to a remote artifact store; one in the system's temporary folder unless
    given. A local store collects them in itself, since a rename is atomic within one filesystem only."""

    disk_reserve_bytes: int | None = Field(default=None, ge=0)
    """Bytes that are left free on the disks of a local artifact store and of SQLite: below that uploads and
    jobs are answered with 507 and results wait, while logins, deletes and usage go on. Unless given: 256 MB,
    or a twentieth of a disk of less than 5 GB."""

    artifact_grace_seconds: float | None = Field(default=None, ge=0)
    """Age in seconds below which an unreferenced file is left alone: another process may be about to commit
    the row that names it. Unless given: 300, and 0 with SQLite, where there is one process."""

    upload_idle_seconds: float = Field(default=60, gt=0)
    """Seconds without a byte after which an upload is given up."""

    max_upload_bytes: int = Field(default=100_000_000, ge=1, validation_alias="MODELPORT_MAX_UPLOAD_BYTES")
    """Largest model file accepted, in bytes."""

    max_reference_bytes: int = Field(default=50_000_000, ge=1)
    """Largest CSV file accepted as the reference of a version, in bytes."""

    limit_upload: LimitSetting = Field(default=Limit(10, 3600), validation_alias="MODELPORT_LIMIT_UPLOAD")
    """Uploads per user."""
