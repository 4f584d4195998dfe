"""Why the platform does not start."""


class CannotStart(Exception):
    """One line for a person: what is wrong, where, and what to do."""
