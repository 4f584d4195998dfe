"""Who changes a model, as the audit log wants it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from modelport_control_api.audit import service as audit
from modelport_control_api.auth.principal import Principal


@dataclass(frozen=True, slots=True)
class Caller:
    principal: Principal
    request_id: str | None
    ip: str | None

    def audit(self, session: Session, action: str, model_id: str, detail: dict[str, Any]) -> None:
        audit.record(session, self.principal, action, f"model:{model_id}", detail, self.request_id, self.ip)
