"""Every setting of the operator, read from the environment."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from modelport_crds.mlmodel import Framework
from modelport_crds.names import DEFAULT_NAMESPACE
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from modelport_operator.egress_rules import USUAL_DNS, EgressRule

_RUNTIME_IMAGES: Mapping[Framework, str] = {
    "sklearn": "modelport-runtime-sklearn",
    "xgboost": "modelport-runtime-sklearn",
    "lightgbm": "modelport-runtime-sklearn",
    "onnx": "modelport-runtime-onnx",
    "python": "modelport-runtime-sklearn",
    "ensemble": "modelport-runtime-sklearn",
}
# Of frameworks that no runtime image of the platform's serves: what their versions run in that name none.
ENVIRONMENTS: Mapping[Framework, str] = {
    "catboost": "catboost-1.2",
    "jax": "jax-0.10",
    "river": "river-0.26",
    "statsmodels": "statsmodels-0.15",
    "torch": "torch-2.15",
    "transformers": "transformers-5.24",
    "autogluon": "autogluon-1.6",
    "tensorflow": "tensorflow-2.21",
}
ENVIRONMENT = "{environment}"
OWN = "own"
"""What stands for it in the image of versions whose packages are a bundle."""


def _split(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    return tuple(part for each in text.split(",") if (part := each.strip()))


def _with_defaults(images: dict[Framework, str]) -> dict[Framework, str]:
    return {**_RUNTIME_IMAGES, **images}


# NoDecode: users write these as plain text, not as JSON.
ListSetting = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
ImagesSetting = Annotated[dict[Framework, str], AfterValidator(_with_defaults)]


class PodsOfNamespace(BaseModel):
    """Pods that a NetworkPolicy lets in. No labels: all of the namespace's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    namespace: str
    labels: dict[str, str] = {}


class PodIds(BaseModel):
    """Ids of a pod's user and groups, as its security context has them. None: left to the cluster."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)

    run_as_user: int | None = Field(default=None, ge=1)
    run_as_group: int | None = Field(default=None, ge=0)
    fs_group: int | None = Field(default=None, ge=0)


# The images' own user; the fetched file is readable by its group.
_USUAL_IDS = PodIds.model_validate({"runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532})


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="MODELPORT_OPERATOR_",
        use_attribute_docstrings=True,
        validate_by_name=True,
        validate_by_alias=True,
        frozen=True,
    )

    artifact_base_url: str = Field(examples=["file:///data/artifacts/sha256/{prefix}/{sha256}"])
    """Where `artifact:<sha256>` lies: a URL with `{sha256}` in it and, for stores that spread files over
    folders, `{prefix}` (its first two digits). A local folder: `file:///data/artifacts/sha256/{prefix}/{sha256}`."""

    models_namespace: str = DEFAULT_NAMESPACE
    """Namespace whose models are served as `/predict/<name>`; others are `/predict/<namespace>.<name>`."""

    watch_namespaces: ListSetting = ()
    """Serve the models of these namespaces only (`team-a,team-b`). None: those of all."""

    platform_namespace: str = "modelport"
    """Namespace of gateway, operator and control API: only from there may a model's pod be reached. The Lease
    by which operators elect their leader is here too."""

    runtime_images: ImagesSetting = Field(
        default_factory=lambda: dict(_RUNTIME_IMAGES), examples=['{"onnx": "registry.example.org/onnx:1.2"}']
    )
    """Images of the models' pods as JSON, framework to image: `{"onnx": "registry.example.org/onnx:1.2"}`.
    Frameworks not named keep their default."""

    environment_image: str = Field(
        default="modelport-runtime-{environment}",
        pattern=r"\{environment\}",
        examples=["registry.example.org/modelport-runtime-{environment}:1.2"],
    )
    """Image of the pods of versions that run in an environment, with `{environment}` in it: of those that
    name one, and of the frameworks that have one of their own."""

    image_pull_policy: Literal["IfNotPresent", "Always", "Never"] = "IfNotPresent"
    """When a node pulls the image of a model's pod."""

    image_pull_secrets: ListSetting = ()
    """Secrets, in the models' namespaces, that the images are pulled with (`one,two`)."""

    pod_security_context: PodIds = Field(default=_USUAL_IDS, examples=['{"runAsUser": 65532}'])
    """Ids of user and groups of the models' pods, as JSON. One that is left out, or null, is the cluster's to
    give, as OpenShift's restricted-v2 does; `{}` leaves all to it. A change restarts the models' pods."""

    priority_class_name: str = ""
    """PriorityClass of the models' pods."""

    batch_priority_class_name: str = ""
    """PriorityClass of the pods that do batch jobs: one below that of the pods that serve, so that on a full
    cluster those come first."""

    batch_worker_component: str = "worker"
    """Which of the platform's pods may reach those that do batch jobs, by `app.kubernetes.io/component`."""

    node_selector: dict[str, str] = Field(default={}, examples=['{"pool": "models"}'])
    """Labels of the nodes that models' pods may run on, as JSON: `{"pool": "models"}`."""

    tolerations: list[dict[str, Any]] = Field(
        default=[], examples=['[{"key": "models", "operator": "Exists"}]']
    )
    """Tolerations of the models' pods, as JSON in the form that a pod has them."""

    metrics_scraper: PodsOfNamespace | None = Field(default=None, examples=['{"namespace": "monitoring"}'])
    """Pods that may also reach models' pods, for their metrics, as JSON:
    `{"namespace": "monitoring", "labels": {"app.kubernetes.io/name": "prometheus"}}`."""

    artifact_networks: ListSetting = ()
    """Private networks (`10.0.0.0/8,fd00::/8,…`) that hold model files: models' pods may reach them. None by
    default, so that an artifact's address, which a user gives, leads to nothing inside."""

    dns_egress: tuple[EgressRule, ...] = Field(
        default=USUAL_DNS,
        examples=['[{"to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}]}]'],
    )
    """How models' pods reach DNS, for the name in an artifact's address: egress rules as JSON, in the form
    that a NetworkPolicy has them. NodeLocal DNSCache, OpenShift and others need rules of their own: the
    chart's `networkPolicy.dns`."""

    extra_egress: tuple[EgressRule, ...] = Field(
        default=(), examples=['[{"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [{"port": 443}]}]']
    )
    """Further egress rules of models' pods, as JSON in the form that a NetworkPolicy has them. What is opened
    to them, the code in every model may reach: for files in private networks there is
    `MODELPORT_OPERATOR_ARTIFACT_NETWORKS`."""

    artifact_credentials_secret: str = ""
    """Secret, in the models' namespaces, with the `AWS_…` variables for `s3://` artifacts; only the init
    container gets them. A model's annotation `serving.modelport.dev/artifact-credentials` names another one,
    which must carry a label of the same name with the value `true`; the operator needs `get` on it."""

    package_index: str = Field(default="", examples=["https://packages.example.org/simple"])
    """Package index that the bundles of models' own requirements are made from. None unless given: then no
    bundle is made. On Kubernetes only; `MODELPORT_INTERNAL_KEY` goes with it."""

    bundles_base_url: str = Field(
        default="",
        examples=["http://modelport-control-api-internal.modelport.svc:8001/internal/v1/bundles/{lock}"],
    )
    """Where bundles are handed in and found again: a URL with `{lock}` in it."""

    bundles_namespace: str = "modelport-bundles"
    """Namespace of the Jobs that make bundles, where nothing else runs."""

    bundle_max_bytes: int = Field(default=5 * 1024**3, ge=1024**2)
    """Most bytes that the packages of one version may have when they are unpacked."""

    control_url: str = Field(
        default="", examples=["http://modelport-control-api-internal.modelport.svc:8001"]
    )
    """The control API's internal address: what gateways counted of a rollout is asked for there. Without it,
    or without `MODELPORT_INTERNAL_KEY`, rollouts wait. On Kubernetes only."""

    internal_key: SecretStr | None = Field(
        default=None,
        min_length=16,
        examples=["$(openssl rand -hex 32)"],
        validation_alias="MODELPORT_INTERNAL_KEY",
    )
    """The same as the control API's: with it the operator asks for what rollouts are decided by, and for
    bundles, of which each Job hands in its own."""

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

    recheck_every: int = Field(default=1000, ge=0)
    """One request in so many to an accelerated model is compared with the model's own prediction; a
    difference ends its acceleration. 0: the model is dropped once its acceleration is proven, which saves its
    memory (about 50 MiB stay), and nothing is compared any more. A change restarts the models' pods."""

    environment_recheck_every: int = Field(default=0, ge=0)
    """The same for versions in an environment. 0: once the kernels are proven, what loaded the model ends,
    and with it 80 to 500 MiB of libraries. A change restarts their pods."""

    allow_unsandboxed: bool = False
    """Load formats that can run code where the machine cannot isolate them. Only for models of your own."""

    concurrency: int = Field(default=32, ge=1)
    """Models reconciled at the same time."""

    resync_seconds: float = Field(default=300, gt=0)
    """Every model is looked at this often even if nothing happened, in seconds: a missed event heals, and an
    acceleration that its runtime has ended shows."""

    sample_timeout_seconds: float = Field(default=30, gt=0)
    """Longest wait for a runtime's response to its sample, in seconds; then it is probed again."""

    watch_silence_seconds: float = Field(default=100, gt=0)
    """A watch that is silent for so long, in seconds, is started again. The API server sends each watch a
    bookmark about every 60 seconds, so more silence than that means a dead connection. On Kubernetes only."""

    drain_seconds: float = Field(default=10, ge=0)
    """Longest time, in seconds, that passes in progress may take to end when the operator stops. Those that
    are broken off are done again by the next leader. On Kubernetes only."""

    listen: str = "0.0.0.0:8080"
    """Where `/healthz`, `/readyz` and `/metrics` are served. On Kubernetes only."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Log lines of less weight are left out. On Kubernetes only."""

    @property
    def namespaces(self) -> tuple[str | None, ...]:
        """What to list and watch; None is all of the cluster."""
        return self.watch_namespaces or (None,)

    @property
    def makes_bundles(self) -> bool:
        return bool(self.package_index and self.bundles_base_url and self.internal_key)

    @model_validator(mode="after")
    def _digest_is_in_the_url(self) -> Self:
        if "{sha256}" not in self.artifact_base_url:
            raise ValueError(
                "MODELPORT_OPERATOR_ARTIFACT_BASE_URL must hold {sha256}, for example "
                "file:///data/artifacts/sha256/{prefix}/{sha256}"
            )
        return self
