"""Why a file is not identified."""


class FormatError(Exception):
    """The message is a sentence for the user who has the file."""


class UnknownFormat(FormatError):
    """Not a model file that the platform knows, or one that takes too much to read."""


class DamagedFile(FormatError):
    """A known format, but truncated or damaged."""
