"""How often rows repeat, without keeping any: a count sketch (Charikar, Chen, Farach-Colton, 2002).

A client that sends the same hundred rows again and again has sent a hundred independent rows, not thousands.
The sum of squares of the sketch estimates the sum of squares of how often each row came, and sketches add up.
"""

from collections.abc import Sequence

from modelport_edge.usage.drift_counts import SKETCH_CELLS


def empty_sketch() -> list[int]:
    return [0] * SKETCH_CELLS


def note_row(sketch: list[int], digest: int) -> None:
    """Count a row, of which `digest` is 32 bits: equal for equal rows."""
    sketch[digest % SKETCH_CELLS] += 1 if digest & SKETCH_CELLS else -1


def effective_rows(rows: int, sketch: Sequence[int], usual_repetition: float) -> float:
    """Give how many independent rows tell as much as these `rows` do.

    `usual_repetition`: the chance that two rows of the reference are equal. Where rows are often equal by
    chance alone, as with a few categories, repetition says nothing and all rows count.
    """
    if not sketch or rows * usual_repetition > 0.5:
        return float(rows)
    repeated = sum(cell * cell for cell in sketch) - rows * rows * usual_repetition
    return rows * rows / max(float(rows), repeated)
