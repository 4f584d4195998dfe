"""The `modelport` command."""

from modelport.cli.command import main, run

__all__ = ["main", "run"]
