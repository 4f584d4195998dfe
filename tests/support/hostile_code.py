"""Code that goes along with a file of each framework and tries all that no model needs."""

from collections.abc import Mapping
from typing import Any

from tests.runtime.integration.hostile import payloads
from tests.runtime.integration.hostile.attempts import system_calls

FILES = {
    "catboost-1.2": ("catboost", "catboost/visits.cbm"),
    "jax-0.10": ("jax", "jax/named.jaxexport"),
    "river-0.26": ("river", "river/linear.joblib"),
    "sklearn-1.2": ("sklearn", "other_versions/1.2.2/samme_r.joblib"),
    "statsmodels-0.15": ("statsmodels", "statsmodels/new/ols_formula.joblib"),
    "tensorflow-2.21": ("tensorflow", "tensorflow/flowers.keras"),
    "torch-2.15": ("torch", "torch/dynamic.pt2"),
}
"""By environment: the framework, and a file of the fixtures."""
ATTEMPTS = payloads.REFUSED | system_calls()


def module(places: Mapping[str, Any]) -> str:
    """Return a module that logs the outcome of each attempt when it is imported.

    places: as `Harness.places` has them.
    """
    return f"""
PLACES = {dict(places)!r}
SOURCES = {list(ATTEMPTS.items())!r}
{payloads.GAUNTLET}
def postprocess(predictions):
    return predictions
"""
