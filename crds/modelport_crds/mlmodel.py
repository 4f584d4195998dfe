"""The typed view of `crds/mlmodel.yaml`: what should be served (spec) and what is (status).

Instances are frozen: a change is a new object (`msgspec.structs.replace`). `from_object` and `to_object`
turn them into the plain dictionaries that the Kubernetes API speaks.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from modelport_crds import names

Weight = Annotated[int, Meta(ge=0, le=100)]
VersionName = Annotated[str, Meta(pattern=f"^{names.VERSION_NAME}$")]
EnvironmentName = Annotated[str, Meta(pattern=f"^{names.ENVIRONMENT_NAME}$")]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Framework = Literal[
    "sklearn", "onnx", "xgboost", "lightgbm", "catboost", "jax", "river", "statsmodels", "torch",
    "transformers", "autogluon", "tensorflow", "python", "ensemble",
]  # fmt: skip
Access = Literal["private", "authenticated", "public"]
Acceleration = Literal["auto", "off"]
Sticky = Literal["caller", "session"]
Engine = Literal["native", "numpy"]
RolloutState = Literal[
    "Pending", "Replaying", "Shadowing", "Canary", "Baking", "Promoted", "RolledBack", "Inconclusive",
    "Cancelled",
]  # fmt: skip
RolloutDecision = Literal["promote", "rollback", "cancel"]
FindingState = Literal["within", "beyond", "unknown"]
Confidence = Annotated[str, Meta(pattern=r"^0\.[5-9][0-9]{0,5}$")]
Limit = Annotated[str, Meta(pattern=r"^([0-9]{1,6}(\.[0-9]{1,6})?|off)$")]
"""A guardrail's tolerance; `off`: it is not looked at."""
RedactedField = Annotated[str, Meta(min_length=1, max_length=200)]


class _Base(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """CamelCase on the wire, defaults left out, as Kubernetes resources are written."""


class Artifact(_Base, frozen=True, kw_only=True):
    """Where a model file lies and what its bytes must hash to. `size` is in bytes, for users."""

    uri: str
    sha256: Sha256
    size: Annotated[int, Meta(ge=0)] | None = None


class Lock(_Base, frozen=True, kw_only=True):
    """The lock of a model's own requirements, a file of the platform's own store."""

    uri: Annotated[str, Meta(pattern="^artifact:[0-9a-f]{64}$")]
    sha256: Sha256


class Resources(_Base, frozen=True, kw_only=True):
    """Kubernetes quantities, passed to the model's container as they are."""

    requests: dict[str, str] = msgspec.field(default_factory=dict)
    limits: dict[str, str] = msgspec.field(default_factory=dict)


class ModelVersion(_Base, frozen=True, kw_only=True):
    """One immutable version. `sample` is a predict body ({"input": row}) that it must predict first.
    `sample_columns`: the row's fields in the order of the model's columns, which the API server sorts.

    `environment`: what it runs in, such as sklearn-1.2; None: the framework's own runtime.
    `lock`: of its own requirements, of which that environment is made; None: the platform knows it by name.
    `batch_replicas`, which may change: pods that serve no request and do batch jobs.
    """

    name: VersionName
    framework: Framework
    environment: EnvironmentName | None = None
    lock: Lock | None = None
    artifact: Artifact
    sample: dict[str, Any] | None = None
    sample_columns: Annotated[tuple[str, ...], Meta(max_length=10_000)] = ()
    resources: Resources = Resources()
    batch_replicas: Annotated[int, Meta(ge=0, le=16)] = 0

    @property
    def own_sample(self) -> dict[str, Any] | None:
        """Return the sample that it must predict; None: there is none, or its row only names the columns."""
        return None if self.sample is None or self.sample.get("made_up") is True else self.sample

    @property
    def ordered_sample(self) -> dict[str, Any] | None:
        """The sample with its row's fields in the order of `sample_columns`; others follow."""
        row = (self.sample or {}).get("input")
        if self.sample is None or not isinstance(row, dict):
            return self.sample
        first = {name: row[name] for name in self.sample_columns if name in row}
        return {**self.sample, "input": first | row}

    @property
    def has_lost_order(self) -> bool:
        """Return whether the sample has several fields, of which `sample_columns` lacks some."""
        row = (self.sample or {}).get("input")
        return isinstance(row, dict) and len(row) > 1 and not row.keys() <= set(self.sample_columns)


class TrafficTarget(_Base, frozen=True, kw_only=True):
    """A version's share of the model's requests, in percent."""

    version: str
    weight: Weight


class WantedTarget(TrafficTarget, frozen=True, kw_only=True):
    """A share as the spec asks for it.

    `compatible_with`: the version gets no requests while it lacks what callers of this other one depend on.
    """

    compatible_with: VersionName | None = None


class Scaling(_Base, frozen=True, kw_only=True):
    min_replicas: Annotated[int, Meta(ge=1, le=1000)] = 1
    max_replicas: Annotated[int, Meta(ge=1, le=1000)] = 1


class Batching(_Base, frozen=True, kw_only=True):
    """`max_batch_size` is in rows."""

    max_batch_size: Annotated[int, Meta(ge=1, le=4096)] = 64


class Cache(_Base, frozen=True, kw_only=True):
    ttl_seconds: Annotated[int, Meta(ge=1, le=604_800)] = 3600


class RateLimit(_Base, frozen=True, kw_only=True):
    """A token bucket for each caller: holds `requests`, refilled evenly over `period_seconds`."""

    requests: Annotated[int, Meta(ge=1, le=1_000_000)]
    period_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 60


class History(_Base, frozen=True, kw_only=True):
    """The share of requests, in percent, that is kept with their responses.

    `redact_fields` never leave the gateway. What is longer than `max_row_bytes` is kept without its bodies.
    """

    percent: Annotated[int, Meta(ge=1, le=100)]
    redact_fields: Annotated[tuple[RedactedField, ...], Meta(max_length=100)] = ()
    max_row_bytes: Annotated[int, Meta(ge=1024, le=65_536)] = 16_384


class Feedback(_Base, frozen=True, kw_only=True):
    """The share of requests, in percent, whose predictions are kept for what turns out to be true.

    `id_field`: the column whose value stands for the row when its truth is told; None: the request's id does.
    """

    percent: Annotated[int, Meta(ge=1, le=100)] = 100
    id_field: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class Replay(_Base, frozen=True, kw_only=True):
    """So many kept rows go through both versions before a live one does; 0: none."""

    rows: Annotated[int, Meta(ge=0, le=5000)] = 500


class Shadow(_Base, frozen=True, kw_only=True):
    """The share of answered requests, in percent, that the other version gets a copy of."""

    percent: Annotated[int, Meta(ge=1, le=100)] = 100
    min_rows: Annotated[int, Meta(ge=0, le=10_000_000)] = 200


class Guardrails(_Base, frozen=True, kw_only=True):
    """What is tolerated of a candidate, beside the baseline.

    `disagreement`: share of rows that it answers otherwise. `error_rate`, `refusal_rate`: by how much the
    share of requests that it fails (5xx) or refuses (4xx) may be greater. `p99_ratio`: of both
    latencies' 99th percentiles. `quality`: of how many more of the rows whose truth is known it may predict
    another class.
    """

    disagreement: Limit = "0.01"
    error_rate: Limit = "0.01"
    refusal_rate: Limit = "0.01"
    p99_ratio: Limit = "2"
    quality: Limit = "off"


class RolloutStrategy(_Base, frozen=True, kw_only=True):
    """`steps`: percent of the traffic, each for at least `step_minutes` and `step_requests` requests."""

    replay: Replay = Replay()
    shadow: Shadow = Shadow()
    steps: Annotated[tuple[Annotated[int, Meta(ge=1, le=99)], ...], Meta(max_length=20)] = (1, 5, 25, 50)
    step_minutes: Annotated[int, Meta(ge=0, le=10_080)] = 2
    step_requests: Annotated[int, Meta(ge=0, le=1_000_000)] = 50
    guardrails: Guardrails = Guardrails()
    confidence: Confidence = "0.95"
    bake_minutes: Annotated[int, Meta(ge=0, le=10_080)] = 10
    max_hours: Annotated[int, Meta(ge=1, le=720)] = 24


class Rollout(_Base, frozen=True, kw_only=True):
    """A rollout that is asked for. Another `id` is another rollout. `decision`: a person's, which ends it."""

    id: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    version: VersionName
    strategy: RolloutStrategy = RolloutStrategy()
    paused: bool = False
    decision: RolloutDecision | None = None


class MLModelSpec(_Base, frozen=True, kw_only=True):
    versions: tuple[ModelVersion, ...]
    traffic: tuple[WantedTarget, ...]
    display_name: str = ""
    owner: str | None = None
    access: Access = "private"
    scaling: Scaling = Scaling()
    batching: Batching = Batching()
    cache: Cache | None = None
    rate_limit: RateLimit | None = None
    timeout_seconds: Annotated[int, Meta(ge=1, le=600)] = 30
    acceleration: Acceleration = "auto"
    sticky: Sticky | None = None
    """What stays on one version of a split; None: nothing, each request is drawn by the weights."""
    history: History | None = None
    feedback: Feedback | None = None
    rollout: Rollout | None = None

    def version(self, name: str) -> ModelVersion | None:
        """Return the version of this name; None: there is none."""
        return next((version for version in self.versions if version.name == name), None)


class Condition(_Base, frozen=True, kw_only=True):
    """As the Kubernetes API conventions have it; times are RFC 3339 UTC."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str = ""
    last_transition_time: str = ""
    observed_generation: int = 0


class SampleAnswer(_Base, frozen=True, kw_only=True):
    """The body that the version gave to its sample, and its sha256, asked for once per pod template."""

    body: str
    sha256: str


class AccelerationProof(_Base, frozen=True, kw_only=True):
    """How NumPy kernels compared with the model on generated rows.

    `detail`, for users: why the model itself predicts, how the kernels were proven, or what differed.
    `largest_difference` None: nothing was compared.
    """

    rows_compared: int = 0
    largest_difference: float | None = None
    detail: str = ""


class SignatureChange(_Base, frozen=True, kw_only=True):
    """One thing that callers of another version depend on and that differs; `compatibility` has its words.

    `what`: which kind of thing (`compatibility.WORDS`). `name`: of the input or output. `before` and `after`,
    as text: the other version's and this one's.
    """

    what: str
    name: str = ""
    before: str = ""
    after: str = ""


class Compatibility(_Base, frozen=True, kw_only=True):
    """How a version compares with `version`, whose callers it is to get, as of its present pod template.

    No `changes`: they can call it instead. `more`: changes beyond those that are listed.
    """

    version: str
    changes: tuple[SignatureChange, ...] = ()
    more: int = 0


class VersionStatus(_Base, frozen=True, kw_only=True):
    """What is known of one version.

    `answered` is True from the moment this very template has answered its sample; `ready` also needs a
    ready pod now. `failed` is final for this template: its pods go, and `last_log` keeps the end of what
    one of them printed. `template` is the pod template's digest, `bundle` that of what its pods unpack beside
    the model's file where it has a lock; it never changes.
    `signature`, `libraries`, `sandbox`, `engine` and `acceleration` are the runtime's own words (see
    docs/contracts.md); of several pods' engines, the slowest. `compatibility`: set once it was compared with
    the version that spec.traffic names for it.
    """

    name: str
    ready: bool = False
    answered: bool = False
    failed: bool = False
    replicas: int = 0
    digest: str = ""
    template: str = ""
    bundle: str = ""
    reason: str = ""
    message: str = ""
    last_log: str = ""
    signature: dict[str, Any] | None = None
    libraries: dict[str, Any] | None = None
    sandbox: dict[str, Any] | None = None
    engine: Engine | None = None
    acceleration: AccelerationProof | None = None
    sample_answer: SampleAnswer | None = None
    compatibility: Compatibility | None = None
    restarts: int = 0


class Finding(_Base, frozen=True, kw_only=True):
    """What is known of one guardrail. `lower` and `upper`: the interval that holds at every look; `limit`:
    the tolerance; all as text. `observations`: rows, or requests."""

    guardrail: str
    state: FindingState
    estimate: str = ""
    lower: str = ""
    upper: str = ""
    limit: str = ""
    observations: int = 0
    message: str = ""


class RolloutStatus(_Base, frozen=True, kw_only=True):
    """Where the rollout `id` stands; of one that is over, how it ended.

    `shadow_percent`: share of answered requests that gateways copy now. `weight`: percent of the traffic that
    the candidate gets. `step`: what gateways count under. `held`: why it does not go on now. `verdict`: one
    sentence. Times are RFC 3339 UTC.
    """

    id: int
    version: str
    baseline: str = ""
    state: RolloutState = "Pending"
    step: str = ""
    weight: Weight = 0
    shadow_percent: Weight = 0
    started_at: str = ""
    step_started_at: str = ""
    ended_at: str = ""
    replayed_rows: int = 0
    held: str = ""
    verdict: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def stage(self) -> tuple[int, str, str]:
        """What changes when it moves on, and not with what is counted meanwhile."""
        return self.id, self.state, self.step

    @property
    def is_over(self) -> bool:
        return self.state in {"Promoted", "RolledBack", "Inconclusive", "Cancelled"}


class MLModelStatus(_Base, frozen=True, kw_only=True):
    observed_generation: int = 0
    url: str = ""
    conditions: tuple[Condition, ...] = ()
    traffic: tuple[TrafficTarget, ...] = ()
    versions: tuple[VersionStatus, ...] = ()
    replicas: int = 0
    selector: str = ""
    rollout: RolloutStatus | None = None

    def version(self, name: str) -> VersionStatus | None:
        """Return the status of the version of this name; None: there is none."""
        return next((version for version in self.versions if version.name == name), None)

    def condition(self, type_: str) -> Condition | None:
        """Return the condition of this type; None: there is none."""
        return next((condition for condition in self.conditions if condition.type == type_), None)


class Metadata(_Base, frozen=True, kw_only=True):
    name: str
    namespace: str = names.DEFAULT_NAMESPACE
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    deletion_timestamp: str | None = None
    creation_timestamp: str | None = None
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: dict[str, str] = msgspec.field(default_factory=dict)


class MLModel(_Base, frozen=True, kw_only=True):
    metadata: Metadata
    spec: MLModelSpec
    status: MLModelStatus = MLModelStatus()

    @property
    def public_id(self) -> str:
        return names.public_id(self.metadata.namespace, self.metadata.name)


def from_object(obj: dict[str, Any]) -> MLModel:
    """Read an MLModel as the API server gives it. Raises `msgspec.ValidationError` naming the path."""
    return msgspec.convert(obj, MLModel)


def to_object(model: MLModel) -> dict[str, Any]:
    """Write an MLModel as the API server takes it: plain dictionaries, lists and scalars."""
    body = _plain(model)
    return {"apiVersion": names.API_VERSION, "kind": names.KIND, **body}


def status_to_object(status: MLModelStatus) -> dict[str, Any]:
    """Return the status as the Kubernetes API takes it."""
    return _plain(status)


def _plain(struct: Struct) -> dict[str, Any]:
    # Through JSON: msgspec.to_builtins keeps tuples, which are not equal to the lists that come back.
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(struct))
    return plain
