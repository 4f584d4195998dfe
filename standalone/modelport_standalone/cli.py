"""`modelport up`."""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from modelport_standalone.errors import CannotStart
from modelport_standalone.options import Options, default_data_dir


def up(arguments: Sequence[str]) -> int:
    """Start the platform; gives the exit code when it has stopped."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(_up)
    try:
        app(list(arguments), prog_name="modelport up")
    except CannotStart as error:
        print(f"Error: {error}", file=sys.stderr)
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
) -> None:
    """Start the platform on this machine. Ctrl-C stops it; your models stay."""
    options = Options(host, port, data_dir or default_data_dir(), demo, tls_cert, tls_key, allow_unsandboxed)
    raise typer.Exit(_serve(options))


def _serve(options: Options) -> int:
    import asyncio

    from modelport_standalone import data_dir, listening

    # Before the server's libraries are imported: what is wrong is said at once.
    level = _log_level()
    listening.check_tls(options)
    with data_dir.claim(options.data_dir) as data, listening.bind(options) as listener:
        import uvloop
        from modelport_edge.logging import configure

        from modelport_standalone.running import run

        configure("standalone", level)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(run(options, data, listener))


def _log_level() -> str:
    """A person at a terminal wants to see what is wrong, not every request. Raises `CannotStart`."""
    wanted = os.environ.get("MODELPORT_LOG_LEVEL") or ("WARNING" if sys.stderr.isatty() else "INFO")
    if wanted.upper() not in logging.getLevelNamesMapping():
        raise CannotStart(
            f"The setting MODELPORT_LOG_LEVEL is wrong: {wanted!r} is not DEBUG, INFO, WARNING or ERROR."
        )
    return wanted
