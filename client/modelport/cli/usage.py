"""usage: how often models were called, and with what results."""

from datetime import datetime
from typing import Annotated

import typer
from rich.text import Text

from modelport.cli.options import DEFAULT_URL, AsJson, Url
from modelport.cli.output import counted, note, print_json, print_table
from modelport.client import Modelport
from modelport.usage import Bucket, Usage, UsageCounts

_FIGURES = ("REQUESTS", "ERRORS", "REFUSED", "CACHE HITS", "P50 MS", "P95 MS", "P99 MS")


def add_to(app: typer.Typer) -> None:
    """Register `usage` on the app."""
    app.command()(usage)


def usage(
    model_id: Annotated[
        str | None, typer.Argument(metavar="MODEL", help="The model's id; all of yours if left out.")
    ] = None,
    *,
    days: Annotated[float, typer.Option(min=0.01, max=90, help="How far back.")] = 7,
    bucket: Annotated[Bucket, typer.Option("--by", help="Rows of one model.")] = "day",
    timezone: Annotated[str, typer.Option(help="Where days begin at midnight, e.g. Europe/Paris.")] = "UTC",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show requests, errors, cache hits and latencies: of each model, or of one by time."""
    with Modelport(url) as client:
        found = client.usage(model_id, days=days, bucket=bucket, timezone=timezone)
    if as_json:
        print_json(found.raw)
    elif not found.totals.requests:
        note(f"No requests in the last {'day' if days == 1 else counted(days, 'day')}.")
    elif model_id is None:
        _print(("MODEL", *_FIGURES), [(each.name or "(no such model)", each) for each in found.parts], found)
    else:
        rows = [(_period(each.start, bucket), each) for each in found.series]
        _print(("DAY" if bucket == "day" else "TIME", *_FIGURES), rows, found)


def _print(columns: tuple[str, ...], rows: list[tuple[str, UsageCounts]], found: Usage) -> None:
    named = [*rows, ("all", found.totals), ("before", found.previous)]
    print_table(columns, [(Text(name), *_figures(each)) for name, each in named])


def _figures(counts: UsageCounts) -> tuple[Text, ...]:
    latencies = (counts.p50_ms, counts.p95_ms, counts.p99_ms)
    cells = [f"{counts.requests:,}", _share(counts.errors, counts.error_rate), f"{counts.refused:,}"]
    cells += [_share(counts.cache_hits, counts.cache_hit_rate)]
    cells += ["–" if each is None else f"{each:,.1f}" for each in latencies]
    return tuple(Text(cell, justify="right") for cell in cells)


def _share(count: int, rate: float | None) -> str:
    return f"{count:,} ({rate:.1%})" if count and rate is not None else f"{count:,}"


def _period(start: datetime | None, bucket: Bucket) -> str:
    return "" if start is None else start.strftime("%Y-%m-%d" if bucket == "day" else "%Y-%m-%d %H:%M")
