"""Who changes a model, as the audit log wants it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from modelport_control_api.accounts.audit import service as audit
from modelport_control_api.http.origin import Origin
from modelport_control_api.identity.principal import Principal


@dataclass(frozen=True, slots=True)
class Caller:
    principal: Principal
    origin: Origin

    def audit(self, session: Session, action: str, model_id: str, detail: dict[str, Any]) -> None:
        target = f"model:{model_id}"
        audit.record(session, self.principal, action, target, detail, self.origin.request_id, self.origin.ip)
