"""What the rows of an Arrow array take as values of their own: a text of a dictionary counts each time."""

from functools import reduce
from typing import Any

_VALUE_BYTES = 8
"""Of a number, and of each element of a list. As an object of Python it is more, by a constant."""


def row_bytes(column: Any) -> Any:
    """Of each row, as a `pyarrow.Array` of int64."""
    import pyarrow
    from pyarrow import types

    kind = column.type
    if isinstance(kind, pyarrow.ExtensionType):
        return row_bytes(column.storage)
    if types.is_dictionary(kind):
        return row_bytes(column.dictionary).take(column.indices).fill_null(_VALUE_BYTES)
    if types.is_nested(kind):
        return _of_nested(column)
    return _of_plain(column)


def _of_plain(column: Any) -> Any:
    import pyarrow
    from pyarrow import compute, types

    kind = column.type
    if types.is_string_view(kind) or types.is_binary_view(kind):
        column, kind = column.cast(pyarrow.large_binary()), pyarrow.large_binary()
    if types.is_fixed_size_binary(kind):
        return _repeated(kind.byte_width, len(column))
    texts = (types.is_binary, types.is_string, types.is_large_binary, types.is_large_string)
    if any(is_text(kind) for is_text in texts):
        return compute.binary_length(column).cast(pyarrow.int64()).fill_null(_VALUE_BYTES)
    return _repeated(_VALUE_BYTES, len(column))


def _of_nested(column: Any) -> Any:
    import pyarrow
    from pyarrow import compute, types

    kind = column.type
    if types.is_struct(kind):
        return reduce(compute.add, map(row_bytes, column.flatten()), _repeated(_VALUE_BYTES, len(column)))
    if types.is_fixed_size_list(kind):
        return row_bytes(column.cast(pyarrow.list_(kind.value_type)))
    ends = compute.cumulative_sum(row_bytes(column.values))
    sums = pyarrow.concat_arrays([_repeated(0, 1), ends]).take(column.offsets)
    return compute.add(compute.subtract(sums[1:], sums[:-1]), _VALUE_BYTES)


def _repeated(value: int, count: int) -> Any:
    import pyarrow

    return pyarrow.repeat(pyarrow.scalar(value, pyarrow.int64()), count)
