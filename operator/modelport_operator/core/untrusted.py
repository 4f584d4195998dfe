"""Text of a stranger, made fit for a status, a log line and a terminal."""

_NEWLINES = str.maketrans({"\n": " ", "\r": " ", "\t": " "})


def plain_text(text: str, limit: int = 1000) -> str:
    """Take out what could steer a terminal, and cut to `limit` characters."""
    printable = "".join(char for char in text[: limit * 4].translate(_NEWLINES) if char.isprintable())
    return printable if len(printable) <= limit else f"{printable[: limit - 1]}…"
