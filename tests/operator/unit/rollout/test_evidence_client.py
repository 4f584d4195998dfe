"""The control API's answers about rollouts, as the operator reads them."""

import httpx
import pytest
from modelport_operator.shell.rollout.evidence import EvidenceClient, LateEvidence, NotHeard
from pydantic import SecretStr

KEY = SecretStr("0123456789abcdef")


def client(*, status: int = 200, body: object = None) -> tuple[EvidenceClient, list[httpx.Request]]:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, json=body)

    transport = httpx.MockTransport(answer)
    return EvidenceClient(httpx.AsyncClient(transport=transport, base_url="http://control"), KEY), asked


async def test_counts_are_asked_for_with_the_internal_key() -> None:
    evidence, asked = client(body={"counts": {"shadow": {"shadow.rows": 3}}})
    assert await evidence.counts("iris", 7) == {"shadow": {"shadow.rows": 3}}
    assert str(asked[0].url) == "http://control/internal/v1/rollouts/evidence?model=iris&rollout=7"
    assert asked[0].headers["authorization"] == f"Bearer {KEY.get_secret_value()}"


async def test_kept_rows_come_as_they_were_sent() -> None:
    evidence, asked = client(body={"rows": [[1, None], {"a": "x"}]})
    assert await evidence.rows("iris", 5) == [[1, None], {"a": "x"}]
    assert asked[0].url.params["limit"] == "5"


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, {}), (503, {}), (200, {"counts": {"shadow": {"shadow.rows": "3"}}}), (200, [])],
)
async def test_what_makes_no_sense_was_not_heard(status: int, body: object) -> None:
    evidence, _ = client(status=status, body=body)
    with pytest.raises(NotHeard):
        await evidence.counts("iris", 1)


async def test_nobody_is_asked_before_the_control_api_is_there() -> None:
    late = LateEvidence()
    with pytest.raises(NotHeard):
        await late.counts("iris", 1)
    late.open(client(body={"rows": [1]})[0])
    assert await late.rows("iris", 1) == [1]
