"""All tables: importing this module makes `Base.metadata` complete."""

from modelport_control_api.api_keys import tables as _api_keys
from modelport_control_api.audit import tables as _audit
from modelport_control_api.auth import tables as _auth
from modelport_control_api.db.base import Base
from modelport_control_api.models import tables as _models

__all__ = ["METADATA"]

METADATA = Base.metadata
_SLICES = (_api_keys, _audit, _auth, _models)
