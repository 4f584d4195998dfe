"""The variables of a formula, which a row gives: in the names and kinds of the training data.

A formula such as `price ~ np.log(age) + C(city)` takes `age` and `city`. Nothing here needs statsmodels.
"""

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from modelport_runtime.core.describing.evidence import kind_of_values
from modelport_runtime.core.responses import plain
from modelport_runtime.core.signature import Column

Levels = tuple[Any, ...]


def names_in(code: str, known: Collection[str]) -> list[str]:
    """Return which of the known columns an expression reads, in its order: `C(city)`, `Q("zip code")`."""
    nodes = list(ast.walk(ast.parse(code, mode="eval")))
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    plainly = (node.id for node in nodes if isinstance(node, ast.Name) and id(node) not in called)
    quoted = (name for node in nodes if isinstance(node, ast.Call) for name in _quoted(node))
    return [name for name in dict.fromkeys([*plainly, *quoted]) if name in known]


def _quoted(call: ast.Call) -> Iterator[str]:
    if isinstance(call.func, ast.Name) and call.func.id == "Q":
        yield from (each.value for each in call.args if _is_text(each))  # type: ignore[attr-defined]


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def levels_of(factors: Mapping[str, Sequence[Any] | None], known: Collection[str]) -> dict[str, Levels]:
    """Return the values that a variable may have, of those that are a factor as they are: `city`, `C(city)`.

    factors: an expression → its categories, None for one of numbers. What else an expression does to a
    column (`C(city.str.lower())`) says nothing of the column's own values.
    """
    pairs = ((_bare(code, known), categories) for code, categories in factors.items())
    return {
        name: tuple(plain(each) for each in categories)
        for name, categories in pairs
        if name is not None and categories is not None
    }


def _bare(code: str, known: Collection[str]) -> str | None:
    """Return the column that a factor is, alone or as what `C` is given first."""
    if (quoted := code.strip("`")) in known:
        # As formulaic writes a name that is none of Python's.
        return quoted
    tree = ast.parse(code.replace("`", ""), mode="eval").body
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "C" and tree.args:
        tree = tree.args[0]
    if isinstance(tree, ast.Name):
        return tree.id if tree.id in known else None
    names = list(_quoted(tree)) if isinstance(tree, ast.Call) else []
    return names[0] if len(names) == 1 and names[0] in known else None


def column_of(name: str, values: Any, levels: Levels | None) -> Column:
    """Return the column that is like the training data's. values: its Series."""
    dtype = values.dtype
    if hasattr(dtype, "categories"):
        known = tuple(plain(each) for each in dtype.categories)
        return Column(name, kind_of_values(list(known))[0], "category", values=known)
    if dtype.kind == "b":
        return Column(name, "boolean", "bool")
    if dtype.kind in "iu" and levels is not None:
        return Column(name, "integer", "int64", values=levels)
    if dtype.kind in "iuf":
        return Column(name, values=levels)
    if dtype.kind == "M":
        return Column(name, "string", str(dtype))
    return Column(name, kind_of_values(list(levels))[0] if levels else "any", "object", values=levels)
