"""The product's modules and what each imports of the others, read from their syntax."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("crds", "libs", "control-api", "operator", "gateway", "model-runtime", "client", "standalone")

Graph = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    lines: int
    tree: ast.Module


@cache
def product_modules() -> Mapping[str, Module]:
    """Every module of the product by its dotted name, migration steps left out."""
    found = {}
    for source in SOURCES:
        for path in sorted((ROOT / source).glob("modelport*/**/*.py")):
            if "versions" not in path.parts:
                module = _read(path, ROOT / source)
                found[module.name] = module
    return found


def _read(path: Path, source: Path) -> Module:
    parts = path.relative_to(source).with_suffix("").parts
    text = path.read_text(encoding="utf-8")
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, path, text.count("\n"), ast.parse(text))


@cache
def imports() -> Graph:
    """What each module imports of the product, imports under TYPE_CHECKING and inside functions included."""
    modules = product_modules()
    return {
        name: frozenset(target for target in _imported(module.tree) if target != name)
        for name, module in modules.items()
    }


def _imported(tree: ast.Module) -> Iterator[str]:
    modules = product_modules()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module in modules:
            inner = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in modules else node.module for name in inner)


def by_room(graph: Graph, package: str) -> Graph:
    """Arrows between a package's rooms: its folders, and the files beside them."""
    rooms: dict[str, set[str]] = {}
    for name, targets in graph.items():
        if name.startswith(f"{package}."):
            room = rooms.setdefault(_room(name), set())
            room.update(_room(target) for target in targets if target.startswith(f"{package}."))
    return {room: frozenset(targets - {room}) for room, targets in rooms.items()}


def _room(name: str) -> str:
    return name.split(".")[1]
