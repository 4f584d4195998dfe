"""Which tests concern which part: `make test-gateway` and the like, and what `make watch` runs again.

`python -m tests.parts gateway -k cache` runs the part's tests; what follows its name goes to pytest.
"""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent


@dataclass(frozen=True, slots=True)
class Part:
    """`sources`: files and folders of the repository. `tests`: patterns below tests/."""

    sources: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()

    def folders(self) -> list[Path]:
        return sorted({path for pattern in self.tests for path in TESTS.glob(pattern) if path.is_dir()})


PARTS = {
    "gateway": Part(
        ("gateway",), ("unit/gateway", "contract/gateway", "integration/gateway", "integration/protocol")
    ),
    "control-api": Part(
        ("control-api",),
        (
            *(f"unit/{name}" for name in ("analytics", "batch*", "control_api*", "drift", "ui", "usage")),
            *(f"contract/{name}" for name in ("artifacts", "batch", "databases", "drift", "history")),
            *(f"contract/{name}" for name in ("models", "usage")),
            *(f"integration/{name}" for name in ("api", "batch_worker", "usage")),
        ),
    ),
    "operator": Part(("operator",), ("unit/operator",)),
    "runtime": Part(
        ("model-runtime",),
        ("unit/acceleration", "unit/compatibility", "unit/runtime*", "integration/runtime"),
    ),
    "client": Part(("client",), ("unit/client", "integration/client")),
    "standalone": Part(
        ("standalone",),
        ("unit/standalone", "integration/standalone", "integration/platform", "integration/crashes"),
    ),
    "libs": Part(("libs", "crds"), ("unit/crds", "unit/edge", "unit/formats", "unit/http", "contract/store")),
    "chart": Part(("helm", "images"), ("unit/chart",)),
    "docs": Part(
        ("docs", "README.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile", "mkdocs.yml", ".github"),
        ("unit/docs", "unit/repository", "integration/docs"),
    ),
    "tools": Part(("bench", "tests/cluster"), ("unit/bench", "unit/cluster")),
}

KINDS = {kind: Part(tests=(kind,)) for kind in ("unit", "contract", "integration")}


def main(arguments: list[str]) -> None:
    known = PARTS | KINDS
    if not arguments or arguments[0] not in known:
        sys.exit(f"Name a part: {', '.join(known)}. For example: make test-gateway")
    name, *options = arguments
    run(known[name].folders(), options)


def run(paths: Iterable[Path], options: Iterable[str]) -> None:
    """Print what is run and become pytest."""
    shown = [str(path.relative_to(ROOT)) for path in paths]
    print(f"==> {' '.join(shown)}", flush=True)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *shown, *options])


if __name__ == "__main__":
    main(sys.argv[1:])
