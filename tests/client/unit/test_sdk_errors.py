"""Each kind of failure is an exception of its own that says what to do."""

import modelport
import pytest
from modelport import (
    Conflict,
    Forbidden,
    InvalidRequest,
    Modelport,
    ModelportError,
    NotFound,
    RateLimited,
    ServerError,
    Unauthorized,
    Unavailable,
)

from tests.client.unit.platform import Answer, Platform, problem

ROLLBACK = "POST /api/v1/models/m/rollback"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (413, InvalidRequest),
        (415, InvalidRequest),
        (418, ModelportError),
        (422, InvalidRequest),
        (429, RateLimited),
        (500, ServerError),
        (502, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
        (507, ServerError),
    ],
)
def test_a_status_is_an_exception(
    client: Modelport, platform: Platform, status: int, kind: type[ModelportError]
) -> None:
    platform.on(ROLLBACK, problem(status, "What happened.", reason="QueueFull"))
    with pytest.raises(ModelportError) as error:
        client.rollback("m")
    assert type(error.value) is kind
    assert (error.value.status, error.value.reason, error.value.request_id) == (status, "QueueFull", "r-9")
    assert str(error.value).startswith("What happened.")
    assert "r-9" in str(error.value)


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("/help/reasons/#QueueFull", "{url}/help/reasons/#QueueFull"),
        ("https://models.example/help/reasons/#QueueFull", "https://models.example/help/reasons/#QueueFull"),
        ("about:blank", None),
        ("http://models.example:port/", None),
        (7, None),
    ],
)
def test_an_error_names_the_help_page_of_its_reason(
    client: Modelport, platform: Platform, kind: object, page: str | None
) -> None:
    platform.on(ROLLBACK, problem(503, "Try later.", type=kind))
    with pytest.raises(ModelportError) as error:
        client.rollback("m")
    assert error.value.help_url == (page and page.format(url=client.url))


def test_fields_are_listed_once(client: Modelport, platform: Platform) -> None:
    errors = [
        {"field": "input.a", "message": "must be a number"},
        {"field": "input.b", "message": "is missing"},
    ]
    platform.on(ROLLBACK, problem(422, "input.a must be a number.", errors=errors))
    with pytest.raises(InvalidRequest) as error:
        client.rollback("m")
    assert [each.field for each in error.value.errors] == ["input.a", "input.b"]
    assert str(error.value).count("must be a number") == 1
    assert "input.b: is missing" in str(error.value)
    platform.on(ROLLBACK, problem(422, "No model.", errors=[{"field": "file", "message": "No model."}]))
    with pytest.raises(InvalidRequest) as error:
        client.rollback("m")
    assert str(error.value) == "No model.\n(request id r-9)"


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[]", b'"text"', b'{"errors": [1, {}]}'])
def test_an_error_response_of_a_proxy_raises_unavailable(
    client: Modelport, platform: Platform, body: bytes
) -> None:
    platform.on(ROLLBACK, Answer(502, body, {"X-Request-ID": "proxy-1"}))
    with pytest.raises(Unavailable, match="502 Bad Gateway") as error:
        client.rollback("m")
    assert error.value.request_id == "proxy-1"


def test_a_redirect_is_not_followed_with_the_key(client: Modelport, platform: Platform) -> None:
    platform.on(ROLLBACK, Answer(307, b"", {"Location": "http://127.0.0.1:9/elsewhere"}))
    with pytest.raises(ModelportError, match="is the URL right"):
        client.rollback("m")


def test_a_page_instead_of_json_is_an_error(client: Modelport, platform: Platform) -> None:
    platform.on("GET /api/v1/models", Answer(200, b"<html>Welcome</html>"))
    with pytest.raises(ModelportError, match="is the URL right"):
        client.models()


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host", "http://", "localhost"])
def test_what_is_no_url_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(ModelportError, match=r"http://127\.0\.0\.1:8000"):
        Modelport(url)


def test_the_former_spelling_is_the_same_class() -> None:
    assert modelport.Unauthorised is Unauthorized
