"""Words for the person who started the platform: on stdout, where no log line goes."""


def say(line: str) -> None:
    print(line, flush=True)
