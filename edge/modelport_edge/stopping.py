"""The last word to requests that are still running when a server has waited long enough for its stop."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modelport_edge.problem import Problem, send_problem


class StoppingMiddleware:
    """Outermost, directly below uvicorn: it alone cancels requests here, at the end of its graceful stop.

    Anywhere further in, a cancellation may be a caller's timeout, and must pass.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        except asyncio.CancelledError:
            # Passed on, uvicorn would log it as a failure of the app and answer a bare 500. Of an answer that
            # has begun the connection is closed, so that nobody takes it for whole.
            if not begun:
                await send_problem(scope, send, _stopping())


def _stopping() -> Problem:
    return Problem(
        status=503,
        detail="The platform is stopping and could not finish this request. Try again when it is back.",
        headers={"Retry-After": "5", "Connection": "close"},
    )
