"""All tables: importing this module makes `Base.metadata` complete."""

from modelport_control_api import outbox as _outbox
from modelport_control_api.accounts import tables as _api_keys
from modelport_control_api.accounts import tables as _audit
from modelport_control_api.accounts import tables as _auth
from modelport_control_api.alerting import tables as _alerting
from modelport_control_api.alerts import tables as _alerts
from modelport_control_api.db.base import Base
from modelport_control_api.drift import tables as _drift
from modelport_control_api.ground_truth import calibrations as _calibrations
from modelport_control_api.ground_truth import tables as _ground_truth
from modelport_control_api.history import tables as _history
from modelport_control_api.importance import tables as _importance
from modelport_control_api.registry import tables as _batch
from modelport_control_api.registry import tables as _models
from modelport_control_api.usage import tables as _usage

__all__ = ["METADATA"]

METADATA = Base.metadata
_SLICES = (
    _alerting,
    _alerts,
    _api_keys,
    _audit,
    _auth,
    _batch,
    _calibrations,
    _drift,
    _ground_truth,
    _history,
    _importance,
    _models,
    _outbox,
    _usage,
)
