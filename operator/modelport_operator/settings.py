"""Every setting of the operator, read from the environment."""

from typing import Self

from modelport_crds.names import DEFAULT_NAMESPACE
from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="MODELPORT_OPERATOR_",
        use_attribute_docstrings=True,
        validate_by_name=True,
        validate_by_alias=True,
        frozen=True,
    )

    artifact_base_url: str
    """Where `artifact:<sha256>` lies: a URL with `{sha256}` in it and, for stores that spread files over
    folders, `{prefix}` (its first two digits). A local folder: `file:///data/artifacts/sha256/{prefix}/{sha256}`."""

    models_namespace: str = DEFAULT_NAMESPACE
    """Namespace whose models are served as `/predict/<name>`; others are `/predict/<namespace>.<name>`."""

    watch_namespace: str | None = None
    """Serve the models of this namespace only. Unset: of all."""

    platform_namespace: str = "modelport"
    """Namespace of gateway, operator and control API: only from there may a model's pod be reached."""

    runtime_image: str = "modelport-runtime:{framework}"
    """Image of the models' pods; `{framework}` becomes `sklearn`, `onnx`, `xgboost` or `lightgbm`."""

    runtime_listen: str = "0.0.0.0:8080"
    """Where a runtime listens: `0.0.0.0:8080` in a pod, `unix:/modelport/run/http.sock` on one machine."""

    load_timeout_seconds: int = Field(
        default=60, ge=1, le=3600, validation_alias="MODELPORT_LOAD_TIMEOUT_SECONDS"
    )
    """Longest time that loading a model may take, in seconds. More ends it with `LoadTimeout`."""

    runtime_memory_bytes: int = Field(
        default=2 * 1024**3, ge=64 * 1024**2, validation_alias="MODELPORT_RUNTIME_MEMORY_BYTES"
    )
    """Memory of one model process whose version names no limit of its own, in bytes."""

    runtime_max_body_bytes: int = Field(default=16 * 1024**2, ge=1024)
    """Largest prediction request that a runtime reads, in bytes."""

    allow_unsandboxed: bool = False
    """Load formats that can run code where the machine cannot isolate them. Only for models of your own."""

    concurrency: int = Field(default=32, ge=1)
    """Models reconciled at the same time."""

    resync_seconds: float = Field(default=300, gt=0)
    """Every model is looked at this often even if nothing happened, in seconds: a missed event heals."""

    sample_timeout_seconds: float = Field(default=30, gt=0)
    """Longest wait for a runtime's answer to its sample, in seconds; then it is asked again."""

    @model_validator(mode="after")
    def _digest_is_in_the_url(self) -> Self:
        if "{sha256}" not in self.artifact_base_url:
            raise ValueError(
                "MODELPORT_OPERATOR_ARTIFACT_BASE_URL must hold {sha256}, for example "
                "file:///data/artifacts/sha256/{prefix}/{sha256}"
            )
        return self
