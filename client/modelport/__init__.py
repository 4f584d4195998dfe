"""The Python SDK and the `modelport` command. Speaks REST only."""

from modelport.async_client import AsyncModelport
from modelport.client import Modelport
from modelport.drift import Drift, FeatureDrift
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
    Unauthorized,
    Unavailable,
)
from modelport.history import KeptPrediction
from modelport.job import Job
from modelport.models import ApiKey, Model, Prediction, User, Version
from modelport.transport import RetryPolicy
from modelport.usage import Usage, UsageCounts

# The former name, for one release: programs that catch it go on.
Unauthorised = Unauthorized

__all__ = [
    "ApiKey",
    "AsyncModelport",
    "Conflict",
    "ConnectionFailed",
    "Drift",
    "FeatureDrift",
    "Forbidden",
    "InvalidRequest",
    "Job",
    "JobFailed",
    "KeptPrediction",
    "Model",
    "ModelFailed",
    "Modelport",
    "ModelportError",
    "NotFound",
    "NotReadyInTime",
    "Prediction",
    "RateLimited",
    "RetryPolicy",
    "ServerError",
    "Unauthorized",
    "Unavailable",
    "Usage",
    "UsageCounts",
    "User",
    "Version",
]
