"""experiments start, status, list, promote, stop."""

from modelport.cli.experiments.commands import add_to

__all__ = ["add_to"]
