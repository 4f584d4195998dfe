"""What is tried again, when, and how often."""

import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from modelport import ConnectionFailed, Modelport, RateLimited, RetryPolicy, Unavailable
from modelport.transport.retries import retry_after

from tests.client.unit.answers import ONE, key, model
from tests.client.unit.platform import Answer, Platform, problem

PREDICT = "POST /predict/m"
CUT = Answer(cut=True)
BUSY = problem(503, "The queue is full.", reason="QueueFull")


def limited(seconds: str) -> Answer:
    return problem(429, "The limit is used up.", headers={"Retry-After": seconds})


def test_it_waits_as_long_as_retry_after_says(
    client: Modelport, platform: Platform, pauses: list[float]
) -> None:
    platform.on(PREDICT, limited("7"), Answer(200, ONE))
    assert client.predict("m", {}).prediction == "setosa"
    assert pauses == [pytest.approx(7.25)], "a little later, so that not all come back at once"


def test_without_retry_after_it_waits_longer_each_time(
    client: Modelport, platform: Platform, pauses: list[float]
) -> None:
    platform.on(PREDICT, BUSY, BUSY, BUSY, Answer(200, ONE))
    client.predict("m", {})
    assert pauses == [0.25, 0.5, 1.0]


def test_after_four_tries_the_error_is_the_last_response(
    client: Modelport, platform: Platform, pauses: list[float]
) -> None:
    platform.on(PREDICT, BUSY)
    with pytest.raises(Unavailable, match="queue is full") as error:
        client.predict("m", {})
    assert (len(platform.asked), len(pauses)) == (4, 3)
    assert (error.value.status, error.value.reason, error.value.request_id) == (503, "QueueFull", "r-9")


def test_it_does_not_wait_for_what_comes_too_late(
    client: Modelport, platform: Platform, pauses: list[float]
) -> None:
    platform.on("POST /api/v1/models/m/rollback", limited("360"))
    with pytest.raises(RateLimited):
        client.rollback("m")
    assert (len(platform.asked), pauses) == (1, [])


def test_the_total_time_is_bounded(platform: Platform) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    retries = RetryPolicy(attempts=100, total_seconds=10, clock=lambda: now[0], sleep=sleep, random=lambda: 0)
    platform.on(PREDICT, limited("3"))
    with Modelport(platform.url, "k", retries=retries) as client, pytest.raises(RateLimited):
        client.predict("m", {})
    assert len(platform.asked) == 4, "at 0, 3, 6 and 9 s"


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 500, 504])
def test_other_responses_stand(client: Modelport, platform: Platform, status: int) -> None:
    platform.on(PREDICT, problem(status, "No."))
    with pytest.raises(Exception, match="No"):
        client.predict("m", {})
    assert len(platform.asked) == 1


def test_a_cut_prediction_and_a_cut_get_are_sent_again(client: Modelport, platform: Platform) -> None:
    platform.on(PREDICT, CUT, CUT, Answer(200, ONE))
    assert client.predict("m", {}).version == "v1"
    platform.on("GET /api/v1/models/m", CUT, Answer(200, model()))
    assert client.model("m").status == "ready"


def test_a_cut_change_is_not_sent_again_because_it_may_have_been_made(
    client: Modelport, platform: Platform, pauses: list[float]
) -> None:
    platform.on("POST /api/v1/api-keys", CUT, Answer(201, key()))
    with pytest.raises(ConnectionFailed, match=r"broke off the connection.*\n.*may have been done"):
        client.create_key("ci")
    assert (len(platform.asked), pauses) == (1, [])


def test_nobody_there_says_what_to_do(pauses: list[float]) -> None:
    with (
        Modelport("http://127.0.0.1:9", "k", retries=RetryPolicy(sleep=pauses.append)) as client,
        pytest.raises(ConnectionFailed, match=r"127\.0\.0\.1:9 cannot be reached") as error,
    ):
        client.models()
    assert "modelport up" in str(error.value)
    assert len(pauses) == 3


def test_a_slow_response_is_not_requested_twice(platform: Platform, pauses: list[float]) -> None:
    go_on = threading.Event()

    def slowly(_asked: object) -> Answer:
        go_on.wait(60)
        return Answer(200, ONE)

    platform.on(PREDICT, slowly)
    retries = RetryPolicy(sleep=pauses.append)
    with (
        Modelport(platform.url, "k", timeout_seconds=0.2, retries=retries) as client,
        pytest.raises(ConnectionFailed, match="did not answer in time"),
    ):
        client.predict("m", {})
    go_on.set()
    assert len(platform.asked) == 1


def response_with(retry_after_header: str) -> httpx.Response:
    return httpx.Response(503, headers=[(b"Retry-After", retry_after_header.encode())])


def test_retry_after_is_read_in_both_forms() -> None:
    assert retry_after(response_with(" 12 ")) == 12
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_after(response_with(in_a_minute)) == pytest.approx(60, abs=5)
    assert retry_after(response_with("Sun, 06 Nov 1994 08:49:37 GMT")) == 0
    assert retry_after(response_with("Sun, 06 Nov 1994 08:49:37 -0000")) == 0


@pytest.mark.parametrize("text", ["", "soon", "-3", "1.5", "٣"])
def test_another_retry_after_counts_as_none(text: str) -> None:
    assert retry_after(response_with(text)) is None
    assert retry_after(httpx.Response(503)) is None
