"""`python -m modelport_control_api migrate`: give the database this release's schema."""

import argparse
import os
import sys

from sqlalchemy.exc import SQLAlchemyError

from modelport_control_api.db import migrate

_VARIABLE = "MODELPORT_CONTROL_API_DATABASE_URL"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m modelport_control_api", description=__doc__)
    parser.add_argument("command", choices=["migrate"])
    parser.parse_args(arguments)
    # Not Settings: a migration job gets the database's address and no other secret.
    url = os.environ.get(_VARIABLE)
    if not url:
        print(f"{_VARIABLE} is not set: give the database's address in it.", file=sys.stderr)
        return 1
    try:
        migrate.upgrade(url)
    except SQLAlchemyError as error:
        print(f"The database of {_VARIABLE} cannot be migrated: {error}", file=sys.stderr)
        return 1
    print("The database has this release's schema.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
