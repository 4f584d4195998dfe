"""`python -m modelport_control_api.signing_keys rotate DIR`: from cron, by hand, or once at installation."""

import argparse
import sys
from pathlib import Path

from modelport_control_api.signing_keys import rotation
from modelport_control_api.signing_keys.files import SigningKeysError


def main(arguments: list[str] | None = None) -> int:
    """Return the exit status: 1 if the folder cannot be used, with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="python -m modelport_control_api.signing_keys", description=__doc__)
    parser.add_argument("command", choices=["rotate"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--activation-seconds", type=int, default=rotation.DEFAULT_ACTIVATION_SECONDS)
    parser.add_argument("--token-seconds", type=int, default=rotation.DEFAULT_TOKEN_SECONDS)
    given = parser.parse_args(arguments)
    schedule = rotation.schedule(given.activation_seconds, given.token_seconds)
    try:
        key, pruned = rotation.rotate(given.folder, schedule)
    except (SigningKeysError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"added {key.path.name} (kid {key.kid}), which signs in {given.activation_seconds} s at the latest")
    print(f"removed {len(pruned)} retired")
    return 0


if __name__ == "__main__":
    sys.exit(main())
