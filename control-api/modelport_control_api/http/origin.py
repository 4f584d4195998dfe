"""Where a request comes from, for the audit log and the limits."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from modelport_http.client_address import client_ip
from modelport_process.request_context import request_id_of

from modelport_control_api.http.context import get_context


@dataclass(frozen=True)
class Origin:
    request_id: str
    ip: str


async def get_origin(request: Request) -> Origin:
    proxies = get_context(request).settings.trusted_proxies
    return Origin(request_id_of(request.scope), client_ip(request.scope, proxies))


RequestOrigin = Annotated[Origin, Depends(get_origin)]
