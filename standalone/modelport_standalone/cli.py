"""`modelport up`."""

import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TextIO, cast

import typer
from modelport_process.start import CannotStart

from modelport_standalone.data_dir import DataDir, claim
from modelport_standalone.options import Options, default_data_dir, say


def up(arguments: Sequence[str]) -> int:
    """Start the platform; gives the exit code when it has stopped."""
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command()(_up)
    try:
        app(list(arguments), prog_name="modelport up")
    except CannotStart as error:
        _complain(str(error))
        return 1
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def _up(
    *,
    demo: Annotated[bool, typer.Option("--demo", help="With a real model to try.")] = False,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0: every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free one.")] = 8000,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where everything is kept. [default: ~/.local/share/modelport]")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate (PEM), for HTTPS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    allow_unsandboxed: Annotated[
        bool, typer.Option("--allow-unsandboxed", help="Run model code where it cannot be isolated.")
    ] = False,
    log_to_stderr: Annotated[
        bool, typer.Option("--log-to-stderr", help="Log there, not to logs/platform.log of the data folder.")
    ] = False,
) -> None:
    """Start the platform on this machine. Ctrl-C stops it; your models stay."""
    options = Options(
        *(host, port, data_dir or default_data_dir(), demo, tls_cert, tls_key),
        allow_unsandboxed=allow_unsandboxed,
        log_to_stderr=log_to_stderr,
        started_at=time.monotonic(),
    )
    raise typer.Exit(_serve(options))


def _serve(options: Options) -> int:
    from modelport_standalone import listening

    # What is written is this user's alone, SQLite's files too.
    os.umask(0o077)
    # Before the server's libraries are imported: what is wrong is reported at once.
    level = _log_level()
    listening.check_tls(options)
    with claim(options.data_dir) as data, listening.bind(options) as listener:
        say("Starting Modelport")
        _log_where_wanted(options, data, level)
        try:
            return _run(options, data, listener)
        except CannotStart:
            raise
        except Exception as error:  # noqa: BLE001  # logged, and the process ends
            return _broke(options, data, error)


def _run(options: Options, data: DataDir, listener: socket.socket) -> int:
    import asyncio

    import uvloop

    from modelport_standalone.running import run

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(options, data, listener))


def _log_where_wanted(options: Options, data: DataDir, level: str) -> None:
    """Raises `CannotStart`."""
    from modelport_process.logging import configure

    from modelport_standalone.log_file import LogFile

    try:
        # Two names of the standard library for one thing: a text file.
        output = None if options.log_to_stderr else cast("TextIO", LogFile(data.log))
        configure("standalone", level, output)
    except OSError as error:
        raise CannotStart(
            f"The log {data.log} cannot be written ({error.strerror}): repair that, or use --log-to-stderr."
        ) from error


def _broke(options: Options, data: DataDir, error: Exception) -> int:
    """A fault of ours: the trace is for the log, one line for the person."""
    import structlog

    structlog.get_logger(__name__).error("platform_failed", exc_info=error)
    details = "above" if options.log_to_stderr else f"in {data.log}"
    _complain(
        f"The platform broke ({type(error).__name__}: {error}); the trace is {details}. Please report it."
    )
    return 1


def _complain(line: str) -> None:
    print(f"Error: {line}", file=sys.stderr)


def _log_level() -> str:
    """Raises `CannotStart`."""
    from modelport_process.logging import level_of

    try:
        return level_of(os.environ.get("MODELPORT_LOG_LEVEL") or "INFO")
    except ValueError as error:
        raise CannotStart(f"MODELPORT_LOG_LEVEL is wrong: {error}, e.g. MODELPORT_LOG_LEVEL=INFO.") from error


if __name__ == "__main__":
    # Where the `modelport` command is not installed, as in the image.
    sys.exit(up(sys.argv[1:]))
