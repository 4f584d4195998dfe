"""What can be wrong with a reference."""


class ReferenceInvalid(Exception):
    """The file is no table that can be a reference. The message names line and column, and what to do."""


class ReferenceNotFound(Exception):
    """The version has none."""
