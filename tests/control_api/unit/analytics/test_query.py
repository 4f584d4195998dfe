"""What may be asked for, and what is said of the rest."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from modelport_control_api.analytics.query import Query, resolve
from modelport_control_api.errors import InvalidFields

NOW = datetime(2026, 6, 10, 12, 34, 56, tzinfo=UTC)
KEPT = {
    "minute": int((NOW - timedelta(days=14)).timestamp()),
    "hour": int((NOW - timedelta(days=120)).timestamp()),
}


def query_of(**asked: Any) -> tuple[list[datetime], datetime]:
    found = resolve(Query(**asked), NOW, KEPT)
    return [datetime.fromtimestamp(moment, UTC) for moment in found.boundaries], datetime.fromtimestamp(
        found.until, UTC
    )


def test_a_day_of_hours_up_to_now_is_the_default() -> None:
    edges, until = query_of()
    assert edges[0] == datetime(2026, 6, 9, 13, tzinfo=UTC)
    assert edges[-1] == datetime(2026, 6, 10, 13, tzinfo=UTC)
    assert len(edges) == 25
    assert until == NOW


@pytest.mark.parametrize(("bucket", "buckets"), [("minute", 60), ("day", 30)])
def test_other_buckets_have_other_defaults(bucket: str, buckets: int) -> None:
    edges, _ = query_of(bucket=bucket)
    assert len(edges) == buckets + 1


def test_a_range_is_widened_to_whole_buckets_and_ends_before_to() -> None:
    edges, until = query_of(
        from_=datetime(2026, 6, 1, 8, 15, tzinfo=UTC), to=datetime(2026, 6, 1, 10, tzinfo=UTC)
    )
    assert [edge.hour for edge in edges] == [8, 9, 10]
    assert until == edges[-1]


@pytest.mark.parametrize(
    ("asked", "field", "says"),
    [
        ({"from_": NOW + timedelta(hours=1)}, "from", "in the past"),
        ({"from_": NOW, "to": NOW - timedelta(days=1)}, "from", "before to"),
        (
            {"from_": NOW - timedelta(days=15)},
            "from",
            "at most 14 days before to when bucket is hour: ask for days",
        ),
        ({"from_": NOW - timedelta(days=91), "bucket": "day"}, "from", "at most 90 days"),
        ({"from_": NOW - timedelta(days=2), "bucket": "minute"}, "from", "at most 6 hours"),
        ({"to": NOW - timedelta(days=15), "bucket": "minute"}, "from", "earlier minutes are not kept"),
        ({"to": NOW - timedelta(days=121)}, "from", "earlier hours are not kept"),
        ({"from_": datetime.min.replace(tzinfo=UTC)}, "from", "later than 1970"),
        ({"to": datetime.min.replace(tzinfo=UTC)}, "to", "later than 1970"),
        ({"timezone": "Mars/Olympus"}, "timezone", "IANA name"),
        ({"timezone": "../../etc/passwd"}, "timezone", "IANA name"),
        ({"timezone": "Europe"}, "timezone", "IANA name"),
        ({"timezone": "a\0b"}, "timezone", "IANA name"),
        ({"timezone": ""}, "timezone", "IANA name"),
    ],
)
def test_an_invalid_query_is_refused_by_field(asked: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(InvalidFields) as refused:
        query_of(**asked)
    [error] = refused.value.errors
    assert error["field"] == field
    assert says in error["message"]


@pytest.mark.parametrize("bucket", ["minute", "hour", "day"])
def test_the_longest_range_has_some_360_points(bucket: Any) -> None:
    hours = {"minute": 6, "hour": 14 * 24, "day": 90 * 24}[bucket]
    edges, _ = query_of(from_=NOW - timedelta(hours=hours), bucket=bucket, timezone="Asia/Kathmandu")
    assert len(edges) <= 363
