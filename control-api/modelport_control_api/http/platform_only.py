"""Who may ask on the internal port. Model pods reach it too: their init containers fetch the model there."""

from fastapi import Depends, Request
from modelport_http.problem import Problem
from modelport_process import internal_key

from modelport_control_api.http.context import RequestContext


async def _require_key(request: Request, context: RequestContext) -> None:
    if not internal_key.is_shown(context.settings.internal_key, request.headers):
        raise Problem(
            status=403,
            detail="Only the platform's own parts may ask this: give gateways, batch workers and the control "
            "API the same MODELPORT_INTERNAL_KEY.",
        )


PLATFORM_ONLY = Depends(_require_key)
