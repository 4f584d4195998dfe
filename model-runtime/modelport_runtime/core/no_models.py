"""The words for what a file holds that is no model: of the object, once loaded, or of its class alone."""

from modelport_runtime.core.types import LoadError

OF_DATA = {"numpy", "pandas", "polars", "pyarrow", "scipy", "xarray"}
"""Libraries of which nothing is a model: a DataFrame has a method `transform`, too."""


def data(kind: str) -> LoadError:
    """Return the error for an object of a library of data. kind: its class, with the module."""
    return LoadError("NotAModel", f"The file holds a {kind}, which is data and no model.")


def without_methods(kind: str) -> LoadError:
    """Return the error for an object that can do nothing with rows. kind: as users know its class."""
    return LoadError("NotAModel", f"The file holds a {kind}, which has neither predict nor transform.")
