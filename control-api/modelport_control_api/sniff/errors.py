"""Why a file is refused before anything runs it."""


class UnsupportedFormat(Exception):
    """Not a model file that the platform knows."""


class CorruptArtifact(Exception):
    """A known format, but truncated or damaged."""


class FrameworkMismatch(Exception):
    """The framework that was declared is not the one found."""
