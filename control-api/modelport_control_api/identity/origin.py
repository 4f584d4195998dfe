"""Where a request comes from, for the audit log and the limits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    request_id: str
    ip: str
