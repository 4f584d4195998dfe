"""What an XGBoost file may hold that only some versions read."""

import re
from collections.abc import Iterable

BINARY = "XGBoost's binary format"
"""Written up to 3.0, and by default up to 2.0; read up to 3.0."""
VECTOR_LEAVES = "trees with several numbers in a leaf"
"""`multi_strategy="multi_output_tree"`: 3.2 has another way for them than 2.0 to 3.1, and reads only that."""

_LEAF_SIZE = re.compile(rb'size_leaf_vector(?:"\s*:\s*"|SL(?:\\u00[0-9a-f]{2}|.){8})(\d{1,9})', re.DOTALL)
"""As JSON and UBJSON have it, alone or inside a pickle, of which protocol 0 spells bytes."""


def has_vector_leaves(windows: Iterable[bytes]) -> bool:
    """Whether any of the windows of a file has a tree with several numbers in a leaf."""
    return any(int(size) > 1 for window in windows for size in _LEAF_SIZE.findall(window))
