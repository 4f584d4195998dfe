"""`client.models`, `client.jobs` and so on. `async_resources` is generated from this folder: `make docs`."""

from modelport.resources.account import Account, Keys
from modelport.resources.alerts import Events, Webhooks
from modelport.resources.experiments import Experiments
from modelport.resources.feedback import Feedback
from modelport.resources.history import KeptPredictions
from modelport.resources.jobs import Jobs
from modelport.resources.models import Models
from modelport.resources.quality import ModelQuality
from modelport.resources.rollouts import Rollouts
from modelport.resources.users import Users
from modelport.resources.versions import Versions

__all__ = [
    "Account",
    "Events",
    "Experiments",
    "Feedback",
    "Jobs",
    "KeptPredictions",
    "Keys",
    "ModelQuality",
    "Models",
    "Rollouts",
    "Users",
    "Versions",
    "Webhooks",
]
