"""What pydantic refuses, in the words of those who gave it: predicates, to stand behind a name."""

from collections.abc import Callable, Mapping
from typing import Any

Words = Callable[[Mapping[str, Any]], str]
_WITH_ITEMS = frozenset({"List", "Tuple", "Set", "Frozenset", "Dictionary"})
_MOMENT = "must be a date and time in ISO 8601, e.g. 2026-03-01T14:05:09Z"


def predicate_of(entry: Mapping[str, Any]) -> str | None:
    """`must be 1 or more` for one of a ValidationError's `errors()`; None for what has no words here.

    Never the value: it may be a secret. Nor what a validator of our own says, which is in our words.
    """
    words = _WORDS.get(entry["type"])
    if words is None:
        return None
    return words({name: _short(value) for name, value in entry.get("ctx", {}).items()})


def own_words(entry: Mapping[str, Any]) -> str:
    """What a validator of ours raised; pydantic's words for what `predicate_of` does not know."""
    return str(entry["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ").rstrip(".")


def _short(value: Any) -> Any:
    """3 rather than 3.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _in_words(template: str, *kinds: str) -> dict[str, Words]:
    return dict.fromkeys(kinds, template.format_map)


def _one_of(context: Mapping[str, Any]) -> str:
    return f"must be {str(context['expected']).replace(chr(39), '')}"


def _sized(bound: str, limit: str) -> Words:
    def words(context: Mapping[str, Any]) -> str:
        number = context[limit]
        unit = "item" if context.get("field_type") in _WITH_ITEMS else "character"
        return f"must have {bound} {number:,} {unit}{'' if number == 1 else 's'}"

    return words


# pydantic's kinds of errors; {names} are in an error's context.
_WORDS: Mapping[str, Words] = {
    "literal_error": _one_of,
    "enum": _one_of,
    **dict.fromkeys(("too_short", "string_too_short"), _sized("at least", "min_length")),
    **dict.fromkeys(("too_long", "string_too_long"), _sized("at most", "max_length")),
    **_in_words("is missing", "missing"),
    **_in_words("is not a known field", "extra_forbidden"),
    **_in_words("must be a whole number", "int_parsing", "int_parsing_size", "int_type", "int_from_float"),
    **_in_words("must be a number", "float_parsing", "float_type", "finite_number"),
    **_in_words("must be true or false", "bool_parsing", "bool_type"),
    **_in_words("must be text", "string_type", "string_sub_type", "string_unicode", "path_type"),
    **_in_words("must match {pattern}", "string_pattern_mismatch"),
    **_in_words("must be a list", "list_type", "tuple_type", "set_type"),
    **_in_words("must be an object", "dict_type", "model_type", "model_attributes_type"),
    **_in_words("must be a UUID", "uuid_type", "uuid_parsing"),
    **_in_words(
        _MOMENT, "datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"
    ),
    **_in_words("must have an offset from UTC, e.g. 2026-03-01T14:05:09Z", "timezone_aware"),
    **_in_words("must be more than {gt}", "greater_than"),
    **_in_words("must be {ge} or more", "greater_than_equal"),
    **_in_words("must be less than {lt}", "less_than"),
    **_in_words("must be {le} or less", "less_than_equal"),
}
