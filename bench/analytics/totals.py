"""Totals of a ledger that `analytics_ledger` makes: sums of its requests, each of which took some time.

Latencies are log-normal around the model's own middle (σ 0.5), one in a hundred eight times as slow. They are
drawn for each number of requests, and shared by the minutes that have as many; the others are sums of those.
"""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from modelport_control_api.usage.tables import EVERYBODY, pack, unpack
from modelport_telemetry.usage.latency import bucket_of, seconds_of
from psycopg2.extras import execute_values
from sqlalchemy import Connection, text

MIDDLES = range(40, 70)
_MOST_REQUESTS, _VARIANTS = 250, 4
_SUMS = ("requests", "errors", "refused", "cache_hits", "cache_misses")
COLUMNS = f"model_id, start, version, {', '.join(_SUMS)}, latencies"

_MINUTE = f"""
INSERT INTO usage_totals_minute ({COLUMNS})
SELECT r.model_id, r.start, r.version, r.requests, r.errors, r.refused, r.hits, r.misses, h.latencies
FROM (
  SELECT model_id, start, version, sum(requests)::bigint AS requests,
         coalesce(sum(requests) FILTER (WHERE status >= 500), 0) AS errors,
         coalesce(sum(requests) FILTER (WHERE status >= 400 AND status < 500), 0) AS refused,
         coalesce(sum(requests) FILTER (WHERE cache = 'hit'), 0) AS hits,
         coalesce(sum(requests) FILTER (WHERE cache = 'miss'), 0) AS misses,
         floor(random() * {_VARIANTS})::int AS variant
  FROM usage_requests_minute WHERE start >= :first AND start <= :last GROUP BY model_id, start, version
) AS r
JOIN bench_models m ON m.id = r.model_id
JOIN bench_histograms h
  ON h.middle = m.middle AND h.requests = least(r.requests, {_MOST_REQUESTS}) AND h.variant = r.variant
ORDER BY r.start, random()
"""
_ADDED_UP = f"""
SELECT {{key}}, {", ".join(f"sum({name})::bigint" for name in _SUMS)}, string_agg(latencies, ',')
FROM {{source}} WHERE start >= :first AND start <= :last AND model_id <> :never
GROUP BY 1, 2, 3 ORDER BY 2, random()
"""


def make_histograms(connection: Connection) -> None:
    connection.execute(
        text("CREATE TABLE bench_histograms (middle int, requests int, variant int, latencies text)")
    )
    statement = text("INSERT INTO bench_histograms VALUES (:middle, :requests, :variant, :latencies)")
    for middle in MIDDLES:
        connection.execute(statement, list(_histograms(middle)))
    connection.execute(text("CREATE UNIQUE INDEX ON bench_histograms (middle, requests, variant)"))
    connection.execute(text("ANALYZE bench_histograms"))


def _histograms(middle: int) -> Iterator[dict[str, object]]:
    chooser = random.Random(middle)
    for variant in range(_VARIANTS):
        counts: Counter[int] = Counter()
        for requests in range(1, _MOST_REQUESTS + 1):
            slower = 8 if chooser.random() < 0.01 else 1
            counts[bucket_of(seconds_of(middle) * chooser.lognormvariate(0, 0.5) * slower)] += 1
            yield {
                "middle": middle, "requests": requests, "variant": variant, "latencies": pack(counts)
            }  # fmt: skip


def fill_minutes(connection: Connection, first: int, last: int) -> None:
    """Of the requests in those minutes, and everybody's."""
    connection.execute(text(_MINUTE), {"first": first, "last": last})
    key = f"'{EVERYBODY}', start, ''"
    _add_up(connection, "minute", "minute", key, {"first": first, "last": last, "never": EVERYBODY})


def roll_up(connection: Connection, source: str, target: str, seconds: int, within: range) -> None:
    """`within`: seconds, of which a row's period begins at one."""
    first, last = within.start, within.stop - 1
    key = f"model_id, start - start % {seconds}, version"
    _add_up(connection, source, target, key, {"first": first, "last": last, "never": ""})


def _add_up(connection: Connection, source: str, target: str, key: str, which: dict[str, object]) -> None:
    found = connection.execute(text(_ADDED_UP.format(source=f"usage_totals_{source}", key=key)), which)
    made = [(*counts, pack(dict(enumerate(unpack(joined))))) for *counts, joined in found]
    cursor: Any = connection.connection.cursor()
    execute_values(cursor, f"INSERT INTO usage_totals_{target} ({COLUMNS}) VALUES %s", made, page_size=1000)
