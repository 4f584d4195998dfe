"""The Python SDK and the `modelport` command. Speaks REST only."""

from modelport.client import Modelport
from modelport.errors import (
    Conflict,
    ConnectionFailed,
    Forbidden,
    InvalidRequest,
    ModelFailed,
    ModelportError,
    NotFound,
    NotReadyInTime,
    RateLimited,
    ServerError,
    Unauthorised,
    Unavailable,
)
from modelport.models import ApiKey, Model, Prediction, User, Version
from modelport.retries import RetryPolicy

__all__ = [
    "ApiKey",
    "Conflict",
    "ConnectionFailed",
    "Forbidden",
    "InvalidRequest",
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
    "Unauthorised",
    "Unavailable",
    "User",
    "Version",
]
