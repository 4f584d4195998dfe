"""Names that calls had before they were grouped by what they are about."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def same_as(
    group: str, method: Callable[Concatenate[Any, Arguments], Result]
) -> Callable[Concatenate[Any, Arguments], Result]:
    """Return a client's method that calls `method` of its attribute `group`."""

    def call(client: Any, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        result: Result = getattr(getattr(client, group), method.__name__)(*arguments, **named)
        return result

    update_wrapper(call, method)
    return call
