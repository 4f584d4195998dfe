"""What goes wrong with an environment."""


class UnknownEnvironment(ValueError):
    """No environment has this name; the message lists those there are."""


class InvalidRequirements(ValueError):
    """They are not taken, or no packages meet them; the message goes on after "requirements"."""


class InvalidLock(ValueError):
    """A lock holds something else than versions of packages with hashes."""


class ResolverAway(Exception):
    """Nobody can say now which packages meet requirements; the message says why. Worth trying again."""


class EnvironmentUnavailable(Exception):
    """It cannot be made here; the message says why, and what to do."""


class EnvironmentRefused(EnvironmentUnavailable):
    """Nor can it later: another try with the same lock would end the same way."""
