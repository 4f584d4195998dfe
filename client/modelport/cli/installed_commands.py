"""Commands that other installed parts bring: entry points of the group `modelport.commands`.

Each is a function `(arguments: Sequence[str]) -> int`, imported only when its command is run: the whole
server's libraries would otherwise be loaded for every `modelport list`.
"""

from importlib.metadata import EntryPoint, entry_points

import typer

from modelport.cli.output import note

GROUP = "modelport.commands"
_HELP = {"up": "Start the platform on this machine."}
_AS_GIVEN = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
    "help_option_names": [],
}


def add_to(app: typer.Typer) -> None:
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    for name in sorted({*found, *_HELP}):
        _add(app, name, found.get(name))


def _add(app: typer.Typer, name: str, entry: EntryPoint | None) -> None:
    @app.command(name, help=_HELP.get(name), context_settings=_AS_GIVEN, add_help_option=False)
    def command(context: typer.Context) -> None:
        raise typer.Exit(_run(name, entry, context.args))


def _run(name: str, entry: EntryPoint | None, arguments: list[str]) -> int:
    try:
        if entry is None:
            raise ModuleNotFoundError(f"no installed package brings `modelport {name}`")
        function = entry.load()
    except ModuleNotFoundError as error:
        note(f"Error: {error}.\n`modelport {name}` needs the platform: pip install 'modelport[standalone]'")
        return 1
    code: int = function(arguments)
    return code
