"""Rows to compute importance over: some of a reference's file, or of what history keeps."""

import csv
import io
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
from sqlalchemy.orm import Session

from modelport_control_api.batch.formats.layout import InputSignature
from modelport_control_api.batch.formats.limits import InputInvalid
from modelport_control_api.drift.profiles.csv_rows import open_rows
from modelport_control_api.history.rows import newest_rows

MOST_ROWS = 1000
"""A mean over so many is within a few percent, and a large forest takes minutes for them."""
FEWEST_ROWS = 30
_MOST_BYTES = 16 << 20


def sampled(path: Path) -> tuple[bytes, int]:
    """Return rows of a reference's file as CSV, drawn at random where it has more, and how many they are.

    The same file gives the same rows. Raises ReferenceInvalid. Blocks.
    """
    draw = random.Random(0)  # noqa: S311 - nothing secret
    sample: list[list[str]] = []
    with open_rows(path) as (names, rows):
        for count, (_, row) in enumerate(rows):
            if count < MOST_ROWS:
                sample.append(row)
            elif (place := draw.randrange(count + 1)) < MOST_ROWS:
                sample[place] = row
    named = [at for at, name in enumerate(names) if name]
    return _csv([names[at] for at in named], ([row[at] for at in named] for row in sample)), len(sample)


def for_signature(data: bytes, signature: InputSignature) -> bytes:
    """Leave the columns that the model takes: in order, where it knows no names and these are none of its.

    Raises InputInvalid where one is missing, also one that the model can do without: it would seem to be of
    no importance.
    """
    names, *rows = csv.reader(io.StringIO(data.decode()))
    wanted = signature.names
    places = [at for at, name in enumerate(names) if name in wanted]
    if len(places) < len(wanted):
        if not signature.positional or len(names) < len(wanted):
            lacking = ", ".join(repr(name[:100]) for name in wanted if name not in names)
            raise InputInvalid(f"The reference lacks columns that the model takes: {lacking[:500]}.")
        places = list(range(len(wanted)))
    return _csv([names[at] for at in places], ([row[at] for at in places] for row in rows))


def _csv(names: Sequence[str], rows: Iterator[list[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow(row)
        if text.tell() > _MOST_BYTES:
            break
    return text.getvalue().encode()


def of_history(session: Session, model_id: str, version: str) -> tuple[bytes, int]:
    """Return the newest rows that the version predicted, as JSON Lines, and how many they are."""
    kept = newest_rows(session, model_id, limit=MOST_ROWS, version=version)
    return b"".join(orjson.dumps({"input": row}, option=orjson.OPT_APPEND_NEWLINE) for row in kept), len(kept)
