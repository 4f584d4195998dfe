"""`modelport environments`."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from modelport_environments.catalogue import BESIDE_OWN, ENVIRONMENTS, find
from modelport_environments.errors import EnvironmentUnavailable, InvalidLock, UnknownEnvironment
from modelport_environments.locked import OWN_PREFIX

from modelport_standalone.environments.making import size_of
from modelport_standalone.environments.store import (
    DEFAULT_MAX_OWN_BYTES,
    EnvironmentStore,
    default_folder,
)
from modelport_standalone.options import say

_app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="What models run in on this machine. Each is made when a model first needs it.",
)


def environments(arguments: Sequence[str]) -> int:
    """Run the command; gives its exit code."""
    try:
        _app(list(arguments), prog_name="modelport environments")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


@_app.command("list")
def _list() -> None:
    """Show those that can be had, and which of them are here."""
    here = {kept.name: kept for kept in _store().kept() if kept.current}
    own = [kept for kept in here.values() if kept.name.startswith(OWN_PREFIX)]
    for name, environment in ENVIRONMENTS.items():
        kept = here.get(name)
        say(f"{name:16} Python {environment.python}  {_size(kept.folder) if kept else '-'}")
    for kept in own:
        say(f"{kept.name:16} Python {BESIDE_OWN.python}  {_size(kept.folder)}  a model's own requirements")


@_app.command("prepare")
def _prepare(names: Annotated[list[str], typer.Argument(metavar="NAME...")]) -> None:
    """Make environments now, so that no model waits for them and none needs an index later."""
    with _explained():
        for environment in [find(name) for name in names]:
            say(f"Preparing {environment.name}")
            say(f"  {_store().prepare(environment).parents[1]}")


@_app.command("prepare-lock", hidden=True)
def _prepare_lock(
    file: Annotated[Path, typer.Argument()],
    max_bytes: Annotated[int, typer.Option()] = DEFAULT_MAX_OWN_BYTES,
) -> None:
    """Make the environment of a model's own requirements, of their lock."""
    with _explained():
        store = EnvironmentStore(default_folder(), max_bytes)
        say(f"  {store.prepare_own(file.read_text(encoding='utf-8'))}")


@_app.command("prune")
def _prune(
    *,
    all_: Annotated[bool, typer.Option("--all", help="Remove the present ones too.")] = False,
) -> None:
    """Remove those of earlier releases, and of own requirements that no model began with for a month.

    What a model needs again is made again.
    """
    with _explained():
        partial = _store().remove_partial()
        for name in partial:
            say(f"Removed {name}, which was not finished")
        removed = [kept for kept in _store().kept() if all_ or not kept.current]
        for kept in removed:
            _store().remove(kept)
            say(f"Removed {kept.folder.name}")
    if not removed and not partial:
        say("Nothing to remove.")


def _size(folder: Path) -> str:
    return f"{size_of(folder) >> 20} MiB"


def _store() -> EnvironmentStore:
    return EnvironmentStore(default_folder())


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (EnvironmentUnavailable, InvalidLock, UnknownEnvironment, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    sys.exit(environments(sys.argv[1:]))
