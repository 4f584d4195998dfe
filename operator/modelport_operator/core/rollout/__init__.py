"""Bringing a version in by evidence (docs/decisions/0057-rollouts.md)."""
