# Generated from resources/__init__.py by client/generate_async.py: make docs.
"""`client.models`, `client.jobs` and so on."""

from modelport.async_resources.account import AsyncAccount, AsyncKeys
from modelport.async_resources.alerts import AsyncEvents, AsyncWebhooks
from modelport.async_resources.experiments import AsyncExperiments
from modelport.async_resources.feedback import AsyncFeedback
from modelport.async_resources.history import AsyncKeptPredictions
from modelport.async_resources.jobs import AsyncJobs
from modelport.async_resources.models import AsyncModels
from modelport.async_resources.quality import AsyncModelQuality
from modelport.async_resources.rollouts import AsyncRollouts
from modelport.async_resources.users import AsyncUsers
from modelport.async_resources.versions import AsyncVersions

__all__ = [
    "AsyncAccount",
    "AsyncEvents",
    "AsyncExperiments",
    "AsyncFeedback",
    "AsyncJobs",
    "AsyncKeptPredictions",
    "AsyncKeys",
    "AsyncModelQuality",
    "AsyncModels",
    "AsyncRollouts",
    "AsyncUsers",
    "AsyncVersions",
    "AsyncWebhooks",
]
