"""Imports AutoGluon, while the process still has its rights."""

from autogluon.tabular import TabularPredictor

__all__ = ["TabularPredictor"]
