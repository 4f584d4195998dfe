"""The middlewares, around small real apps."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from modelport_http.middleware import (
    AccessLogMiddleware,
    BodyLimitMiddleware,
    RequestIdMiddleware,
    SecurityHeadersMiddleware,
)
from modelport_http.problem import Problem, ProblemMiddleware
from modelport_process.logging import current_request_id
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]


def app_of(endpoint: Endpoint) -> ASGIApp:
    return Router(routes=[Route("/things/{id}", endpoint, methods=["GET", "POST"])])


def fronted(app: ASGIApp) -> ASGIApp:
    return RequestIdMiddleware(ProblemMiddleware(app))


async def call(app: ASGIApp, method: str = "GET", path: str = "/things/7", **request: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path, **request)


async def say_id(_request: Request) -> Response:
    return PlainTextResponse(current_request_id.get())


async def length(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def test_a_sane_request_id_of_the_caller_is_kept() -> None:
    response = await call(fronted(app_of(say_id)), headers={"X-Request-ID": "a.B-9_z"})
    assert (response.headers["x-request-id"], response.text) == ("a.B-9_z", "a.B-9_z")


@pytest.mark.parametrize("given", [None, "", "x" * 65, "two words", 'quote"', "line\u00a0feed"])
async def test_another_request_id_is_replaced(given: str | None) -> None:
    headers = {} if given is None else {b"X-Request-ID": given.encode()}
    response = await call(fronted(app_of(say_id)), headers=headers)
    assert len(response.headers["x-request-id"]) == 32
    assert response.text == response.headers["x-request-id"]
    assert current_request_id.get() == "-", "nothing is left behind"


async def test_a_problem_becomes_an_rfc_9457_response() -> None:
    async def fail(_request: Request) -> Response:
        raise Problem(
            status=422,
            title="Invalid",
            detail="petal_width must be a number.",
            reason="SampleInvalid",
            errors=[{"field": "input.petal_width", "message": "must be a number"}],
            headers={"Retry-After": "3"},
        )

    response = await call(fronted(app_of(fail)), headers={"X-Request-ID": "r1"})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "3"
    assert response.headers["x-request-id"] == "r1"
    assert response.json() == {
        "type": "/help/reasons/#SampleInvalid",
        "title": "Invalid",
        "status": 422,
        "detail": "petal_width must be a number.",
        "request_id": "r1",
        "reason": "SampleInvalid",
        "errors": [{"field": "input.petal_width", "message": "must be a number"}],
    }


async def test_a_problem_without_a_title_has_the_status_own_one() -> None:
    async def fail(_request: Request) -> Response:
        raise Problem(status=404, detail="No such model.")

    response = (await call(fronted(app_of(fail)))).json()
    assert response["title"] == "Not Found"
    assert response["type"] == "about:blank"
    assert "reason" not in response
    assert "errors" not in response


async def test_where_the_public_address_is_known_a_problem_type_is_absolute() -> None:
    async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise Problem(status=503, detail="No version of it can answer.", reason="NoReadyVersion")

    problem = (await call(ProblemMiddleware(fail, "https://models.example"))).json()
    assert problem["type"] == "https://models.example/help/reasons/#NoReadyVersion"


async def test_any_other_exception_is_logged_and_its_response_reveals_nothing() -> None:
    async def fail(_request: Request) -> Response:
        raise RuntimeError("password=hunter2")

    with structlog.testing.capture_logs() as logs:
        response = await call(fronted(app_of(fail)), headers={"X-Request-ID": "r2"})
    assert response.status_code == 500
    assert "hunter2" not in response.text
    assert response.json()["request_id"] == "r2"
    [line] = [each for each in logs if each["event"] == "unhandled_exception"]
    assert line["request_id"] == "r2"
    assert isinstance(line["exc_info"], RuntimeError)


async def test_fastapi_lets_both_through_to_the_middleware() -> None:
    app = FastAPI()
    app.add_middleware(ProblemMiddleware)
    app.add_middleware(RequestIdMiddleware)

    @app.get("/{kind}")
    async def fail(kind: str) -> None:
        raise Problem(status=409, detail="Taken.") if kind == "problem" else ValueError(kind)

    assert (await call(app, path="/problem")).json()["status"] == 409
    assert (await call(app, path="/other")).json()["status"] == 500


async def test_a_response_that_has_begun_is_cut_and_not_overwritten() -> None:
    async def half(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("broken")

    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(RuntimeError, match="broken"):
        await ProblemMiddleware(half)({"type": "http", "path": "/things/7"}, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[0]["status"] == 200


async def test_security_headers_are_added_and_an_apps_own_are_kept() -> None:
    async def page(_request: Request) -> Response:
        return PlainTextResponse("x", headers={"Content-Security-Policy": "default-src 'self'"})

    response = await call(SecurityHeadersMiddleware(app_of(page)))
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-frame-options"] == "DENY"
    assert response.headers["content-security-policy"] == "default-src 'self'"
    assert "strict-transport-security" not in response.headers
    response = await call(SecurityHeadersMiddleware(app_of(page)), path="https://test/things/7")
    assert response.headers["strict-transport-security"].startswith("max-age=")


async def test_the_access_log_has_the_route_and_never_a_secret() -> None:
    app = RequestIdMiddleware(AccessLogMiddleware(app_of(say_id)))
    with structlog.testing.capture_logs() as logs:
        await call(
            app,
            path="/things/7?token=secret-query",
            headers={"Authorization": "Bearer secret-header", "X-Request-ID": "r3"},
        )
    [line] = logs
    assert line.pop("duration_ms") >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "path": "/things/{id}",
        "status": 200,
        "client_ip": "127.0.0.1",
        "request_id": "r3",
    }


async def test_the_access_log_skips_probes_and_cuts_unknown_paths() -> None:
    app = AccessLogMiddleware(app_of(say_id))
    with structlog.testing.capture_logs() as logs:
        await call(app, path="/healthz")
        await call(app, path="/" + "x" * 1000)
    [line] = logs
    assert (line["status"], len(line["path"])) == (404, 200)


async def chunks_of(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 10):
        yield bytes(10)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "status"), [(100, 200), (110, 413)])
async def test_a_body_is_limited_whether_or_not_it_says_its_length(
    chunked: bool, size: int, status: int
) -> None:
    app = fronted(BodyLimitMiddleware(app_of(length), limit_for=lambda _scope: 100))
    response = await call(app, "POST", content=chunks_of(size) if chunked else bytes(size))
    assert response.status_code == status
    if status == 413:
        assert "100 bytes" in response.json()["detail"]


async def test_fastapi_cannot_turn_a_body_that_is_too_large_into_its_400() -> None:
    app = FastAPI()

    @app.post("/things/7")
    async def read(body: dict[str, int]) -> int:
        return len(body)

    limited = BodyLimitMiddleware(app, limit_for=lambda _scope: 100)
    response = await call(
        limited, "POST", content=chunks_of(200), headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 413


async def test_a_route_may_limit_its_body_itself() -> None:
    app = BodyLimitMiddleware(app_of(length), limit_for=lambda _scope: None)
    assert (await call(app, "POST", content=bytes(1000))).text == "1000"


async def test_what_is_not_http_passes_through_every_middleware() -> None:
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    wrapped: ASGIApp = app
    for middleware in (
        ProblemMiddleware,
        RequestIdMiddleware,
        SecurityHeadersMiddleware,
        AccessLogMiddleware,
    ):
        wrapped = middleware(wrapped)

    async def nothing(*_: Any) -> Any:
        return {}

    await wrapped({"type": "lifespan"}, nothing, nothing)
    assert seen == ["lifespan"]


def test_a_problem_is_json_with_any_text() -> None:
    from modelport_http.problem import body

    assert json.loads(body(Problem(status=400, detail='"ü\n'), "r"))["detail"] == '"ü\n'
