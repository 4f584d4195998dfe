"""Who changes something, and from where."""

from dataclasses import dataclass

from modelport_control_api.identity.origin import Origin
from modelport_control_api.identity.principal import Principal


@dataclass(frozen=True, slots=True)
class Caller:
    principal: Principal
    origin: Origin
