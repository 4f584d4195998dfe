"""The `modelport` command."""

from modelport.cli.main import main, run

__all__ = ["main", "run"]
