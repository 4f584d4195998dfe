"""The limit of uvicorn: an ASGI app that responds with a constant.

Run: ``python -m bench.servers.constant_server PORT``.
"""

import sys
from typing import Any

import uvicorn

_BODY = b'{"model":"iris","version":"v1","predictions":[0],"probabilities":[[0.9,0.05,0.05]]}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())]


async def app(_scope: dict[str, Any], receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        continue
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        http="httptools",
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
    )
