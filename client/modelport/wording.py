"""Figures in sentences. The platform's own are worded by the same rule, but the client imports none of it."""

_ENDS_WITH_ES = ("s", "x", "ch", "sh")


def counted(number: float, noun: str) -> str:
    """`0 rows`, `1 row`, `12,345 rows`: the last word of `noun`, a singular, gets its plural."""
    return f"{number:,.15g} {noun if number == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """`rows`, `classes`, `tries`: of the last word of a singular."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(_ENDS_WITH_ES) else f"{noun}s"
