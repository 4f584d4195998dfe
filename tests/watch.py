"""`make watch`: on each change of a file, run the tests that concern it; what is given goes to pytest.

A test file concerns itself. A module concerns the unit tests that import it, or else its part's.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from watchfiles import Change, DefaultFilter, watch

from tests.parts import PARTS, ROOT, TESTS, folders


def main(options: list[str]) -> None:
    print("Waiting for a change; Ctrl-C ends it.", flush=True)
    for changes in watch(ROOT, watch_filter=SourceFilter(), raise_interrupt=False):
        tests = concerned(Path(name) for _, name in changes)
        if tests:
            shown = [str(path.relative_to(ROOT)) for path in sorted(tests)]
            print(f"==> {' '.join(shown)}", flush=True)
            subprocess.run([sys.executable, "-m", "pytest", "-q", *shown, *options], cwd=ROOT, check=False)


class SourceFilter(DefaultFilter):
    """What a test may read: not what tools write."""

    ignore_dirs = (*DefaultFilter.ignore_dirs, "build", "dist", ".ruff_cache", ".import_linter_cache")
    suffixes = frozenset({".py", ".md", ".yaml", ".yml", ".html", ".js", ".lua"})

    def __call__(self, change: Change, path: str) -> bool:
        return Path(path).suffix in self.suffixes and super().__call__(change, path)


def concerned(changed: Iterable[Path]) -> set[Path]:
    """Test files and folders that exist, for files below the repository's root."""
    return {test for path in changed for test in _of_file(path) if test.exists()}


def _of_file(path: Path) -> list[Path]:
    if path.is_relative_to(TESTS) and path.name.startswith("test_"):
        return [path]
    if path.is_relative_to(TESTS) and path.parent.name not in {"tests", "support", "cluster"}:
        return [path.parent]
    return _importing(path) or _units(_part_of(path))


def _importing(path: Path) -> list[Path]:
    """The unit tests that name a module of the product in an import."""
    name = _module_name(path)
    if name is None:
        return []
    package, _, module = name.rpartition(".")
    named = re.compile(
        rf"^\s*(from|import) {re.escape(name)}\b|^\s*from {re.escape(package)} import .*\b{module}\b", re.M
    )
    return [test for test in TESTS.glob("*/unit/**/test_*.py") if named.search(test.read_text())]


def _module_name(path: Path) -> str | None:
    """`gateway/modelport_gateway/serve.py` is `modelport_gateway.serve`."""
    inside = path.relative_to(ROOT).with_suffix("").parts[1:]
    is_product = path.suffix == ".py" and len(inside) > 1 and inside[0].startswith("modelport")
    return ".".join(inside).removesuffix(".__init__") if is_product else None


def _part_of(path: Path) -> str | None:
    return next(
        (
            part
            for part, sources in PARTS.items()
            if any(path.is_relative_to(ROOT / source) for source in sources)
        ),
        None,
    )


def _units(part: str | None) -> list[Path]:
    return [folder / "unit" for folder in folders(part)] if part else []


if __name__ == "__main__":
    main(sys.argv[1:])
