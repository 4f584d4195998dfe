"""The dependency that tells where a request comes from."""

from typing import Annotated

from fastapi import Depends, Request
from modelport_http.client_address import client_ip
from modelport_process.logging import request_id_of

from modelport_control_api.http.context import get_context
from modelport_control_api.identity.origin import Origin


async def get_origin(request: Request) -> Origin:
    proxies = get_context(request).settings.trusted_proxies
    return Origin(request_id_of(request.scope), client_ip(request.scope, proxies))


RequestOrigin = Annotated[Origin, Depends(get_origin)]
