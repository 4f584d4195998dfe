"""How large files, folders and functions are."""

import ast
from collections import Counter
from pathlib import Path

from tests.architecture.modules import ROOT, product_modules


def lines_of_files() -> list[int]:
    """Lines of each file that holds more than its own description."""
    return sorted(module.lines for module in product_modules().values() if module.lines > 1)


def lines_of_functions() -> list[int]:
    return sorted(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for module in product_modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def files_of_folders() -> dict[str, int]:
    """Python files in each folder by its path in the repository; `__init__.py` is left out."""
    paths = (module.path for module in product_modules().values())
    return dict(Counter(_folder(path) for path in paths if path.name != "__init__.py").most_common())


def _folder(path: Path) -> str:
    return path.parent.relative_to(ROOT).as_posix()
