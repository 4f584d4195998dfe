"""`python -m modelport_control_api COMMAND`: the process itself, and the jobs beside it."""

import argparse
import sys
from collections.abc import Callable, Mapping

from modelport_process.start import CannotStart
from sqlalchemy.exc import SQLAlchemyError

from modelport_control_api.process import commands

_COMMANDS: Mapping[str, tuple[Callable[..., str], str]] = {
    "serve": (commands.serve, "answer requests until SIGTERM"),
    "worker": (commands.work, "do batch jobs until SIGTERM"),
    "migrate": (commands.migrate, "give the database this release's schema"),
    "create-admin": (commands.create_admin, "make the first administrator, unless there is one"),
    "republish": (commands.republish, "tell the cluster of every model again"),
    "password-link": (commands.password_link, "print a link that sets another password, once"),
}
_ARGUMENTS = {"password-link": ("email", "of the account")}


def main(arguments: list[str] | None = None) -> int:
    """Return the exit code: 1, and one line that says why, where it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m modelport_control_api", description=__doc__)
    added = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_, help_text) in _COMMANDS.items():
        command_parser = added.add_parser(name, help=help_text)
        if name in _ARGUMENTS:
            argument, meaning = _ARGUMENTS[name]
            command_parser.add_argument(argument, metavar=argument.upper(), help=meaning)
    given = vars(parser.parse_args(arguments))
    command, _ = _COMMANDS[given.pop("command")]
    try:
        print(command(**given))
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().replace("\n", " ")
        print(f"The database of {commands.DATABASE_URL} cannot be used: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
