"""What belongs to which part: `make test-gateway` and the like, and what `make watch` runs again.

A part's tests are in the folder of its name, by kind: `tests/control_api/unit` for the part control-api.
`python -m tests.parts gateway -k cache` runs the part's tests; what follows its name goes to pytest.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent

# Each with its files and folders of the repository.
PARTS = {
    "gateway": ("gateway",),
    "control-api": ("control-api",),
    "operator": ("operator",),
    "runtime": ("model-runtime",),
    "client": ("client",),
    "standalone": ("standalone",),
    "libs": ("libs", "crds"),
    "chart": ("helm", "images"),
    "docs": ("docs", "README.md", "CONTRIBUTING.md", "SECURITY.md", "mkdocs.yml"),
    "tools": (
        "bench",
        "tests/architecture",
        "tests/cluster",
        "Makefile",
        ".github",
        "pyproject.toml",
        "requirements",
    ),
}

KINDS = ("unit", "contract", "integration")


def folders(name: str) -> list[Path]:
    """Where the tests of a part, or of one kind, are."""
    return sorted(TESTS.glob(f"*/{name}")) if name in KINDS else [TESTS / name.replace("-", "_")]


def main(arguments: list[str]) -> None:
    known = (*PARTS, *KINDS)
    if not arguments or arguments[0] not in known:
        sys.exit(f"Name a part: {', '.join(known)}. For example: make test-gateway")
    name, *options = arguments
    run(folders(name), options)


def run(paths: Iterable[Path], options: Iterable[str]) -> None:
    """Print what is run and become pytest."""
    shown = [str(path.relative_to(ROOT)) for path in paths]
    print(f"==> {' '.join(shown)}", flush=True)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *shown, *options])


if __name__ == "__main__":
    main(sys.argv[1:])
