"""Why an input is no input. A single bad row is none of this: it becomes an error row."""


class InputInvalid(Exception):
    """The message says what is wrong, where, and what to do."""


class InputTooLarge(InputInvalid):
    """More of it than may be decoded: what was made of it goes."""
