"""What goes wrong with an environment."""


class UnknownEnvironment(ValueError):
    """No environment has this name; the message lists those there are."""


class EnvironmentUnavailable(Exception):
    """It cannot be made here; the message says why, and what to do."""
