"""Why an input cannot be fetched."""


class InputUnavailable(Exception):
    """The message says what happened, to whoever named the input. `passes`: it is worth another try."""

    def __init__(self, message: str, *, passes: bool = False) -> None:
        super().__init__(message)
        self.passes = passes
