"""Text of a stranger, made fit for a status, a log line and a terminal."""

_NEWLINES = str.maketrans({"\n": " ", "\r": " ", "\t": " "})


def plain_text(text: str, limit: int = 1000) -> str:
    """Take out what could steer a terminal, and cut to `limit` characters."""
    printable = "".join(char for char in text[: limit * 4].translate(_NEWLINES) if char.isprintable())
    return printable if len(printable) <= limit else f"{printable[: limit - 1]}…"


def plain_tail(text: str, *, lines: int, limit_bytes: int) -> str:
    """The last lines, each made plain: whole ones, as many as fit into `limit_bytes` of UTF-8."""
    kept: list[str] = []
    left = limit_bytes
    for line in reversed(text.splitlines()[-lines:]):
        plain = plain_text(line).rstrip()
        left -= len(plain.encode()) + 1
        if left < 0:
            break
        kept.append(plain)
    return "\n".join(reversed(kept)).strip("\n")
