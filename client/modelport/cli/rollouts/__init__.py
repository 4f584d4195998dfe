"""rollout start, status, list, pause, resume, promote, rollback, cancel."""

from modelport.cli.rollouts.commands import add_to

__all__ = ["add_to"]
