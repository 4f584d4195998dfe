"""Figures in sentences for users: every count of something is worded here."""

_ENDS_WITH_ES = ("s", "x", "ch", "sh")


def counted(number: float, noun: str) -> str:
    """`0 rows`, `1 row`, `12,345 sampled rows`: the last word of `noun`, a singular, gets its plural."""
    # 15 digits: bytes are whole to the end, and no 0.1 is 0.1000000000000000055.
    return f"{number:,.15g} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """`rows`, `classes`, `tries`: of the last word of a singular."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(_ENDS_WITH_ES) else f"{noun}s"
