"""The Python SDK and the `modelport` command. Speaks REST only."""

from typing import TYPE_CHECKING, Any

from modelport.alerts import Delivery, Event, Webhook
from modelport.client import Modelport
from modelport.drift import ColumnImportance, Drift, FeatureDrift, Importance
from modelport.errors import (
    Conflict,
    ConnectionFailed,
    Forbidden,
    InvalidRequest,
    JobFailed,
    ModelFailed,
    ModelportError,
    NotFound,
    NotReadyInTime,
    RateLimited,
    ServerError,
    SignatureChanged,
    Unauthorized,
    Unavailable,
)
from modelport.evaluation.experiments import Arm, Comparison, Experiment
from modelport.evaluation.feedback import FeedbackReport, Metric, Quality, QualityPart, VersionQuality
from modelport.history import KeptPrediction
from modelport.job import Job
from modelport.models import (
    ApiKey,
    Finding,
    Model,
    PasswordLink,
    PlatformUser,
    Prediction,
    Rollout,
    User,
    Version,
)
from modelport.rows import Predictions
from modelport.transport.retries import RetryPolicy
from modelport.usage import Usage, UsageCounts

if TYPE_CHECKING:
    from modelport.async_client import AsyncModelport

# The former name, for one release: programs that catch it go on.
Unauthorised = Unauthorized

__all__ = [
    "ApiKey",
    "Arm",
    "AsyncModelport",
    "ColumnImportance",
    "Comparison",
    "Conflict",
    "ConnectionFailed",
    "Delivery",
    "Drift",
    "Event",
    "Experiment",
    "FeatureDrift",
    "FeedbackReport",
    "Finding",
    "Forbidden",
    "Importance",
    "InvalidRequest",
    "Job",
    "JobFailed",
    "KeptPrediction",
    "Metric",
    "Model",
    "ModelFailed",
    "Modelport",
    "ModelportError",
    "NotFound",
    "NotReadyInTime",
    "PasswordLink",
    "PlatformUser",
    "Prediction",
    "Predictions",
    "Quality",
    "QualityPart",
    "RateLimited",
    "RetryPolicy",
    "Rollout",
    "ServerError",
    "SignatureChanged",
    "Unauthorized",
    "Unavailable",
    "Usage",
    "UsageCounts",
    "User",
    "Version",
    "VersionQuality",
    "Webhook",
]


def __getattr__(name: str) -> Any:
    """Import the awaiting client where it is used: asyncio would be a tenth of a command's start."""
    if name == "AsyncModelport":
        from modelport.async_client import AsyncModelport

        return AsyncModelport
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), "AsyncModelport"]
