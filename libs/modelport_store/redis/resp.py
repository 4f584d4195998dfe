"""Redis's protocol, version 2: how commands are packed."""


def command(*arguments: bytes | str | int) -> bytes:
    return b"*%d\r\n%b" % (len(arguments), pack(*arguments))


def pack(*arguments: bytes | str | int) -> bytes:
    """Arguments alone, so that what never changes of a command is packed once."""
    return b"".join(map(_packed, arguments))


def _packed(argument: bytes | str | int) -> bytes:
    raw = argument if isinstance(argument, bytes) else str(argument).encode()
    return b"$%d\r\n%b\r\n" % (len(raw), raw)
