"""Every GET of an API, with the parameters that its OpenAPI document asks for filled in with what is there.

Only the standard library: a former build's interpreter imports it too.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

Known = Mapping[str, Iterable[Mapping[str, str]]]
"""By the last parameter of a path (`version`, `job_id`): the values of all parameters, for each object."""


def addresses(openapi: Mapping[str, Any], known: Known) -> list[str]:
    found: set[str] = set()
    for path, methods in openapi["paths"].items():
        if "get" in methods:
            found.update(_filled_in(path, methods["get"].get("parameters", []), known))
    return sorted(found)


def _filled_in(path: str, parameters: list[dict[str, Any]], known: Known) -> Iterator[str]:
    queried = {each["name"]: each.get("required", False) for each in parameters if each["in"] == "query"}
    needed = [name for name, required in queried.items() if required]
    named = [each["name"] for each in parameters if each["in"] == "path"] or needed
    # Versions have a model too: the last parameter names the object.
    for values in known.get(named[-1], ()) if named else [{}]:
        query = {name: values[name] for name in needed}
        filled = path.format_map(values)
        yield filled + _as_query(query)
        if "all" in queried:
            yield filled + _as_query({**query, "all": "true"})


def _as_query(values: Mapping[str, str]) -> str:
    return f"?{urlencode(values)}" if values else ""
