"""Whether units were split among arms as their weights ask for (sample ratio mismatch).

A mixture of multinomials around the weights: it holds at every look (Lindon, Malek: "Anytime-valid inference
for multinomial count data", 2022).
"""

import math
from collections.abc import Mapping

from modelport_evidence.rates import log_mean_exp

# Strengths of the priors that are mixed: as if so many units had been seen already, split as asked for. The
# weak one finds an arm that gets nothing, the strong one a few of a hundred that are lost.
_PRIOR_UNITS = (5, 500)
_LEVEL = 0.001
"""Of one experiment. It is no guardrail: what is off is broken, and nothing that was counted can be used."""


def arms_split_is_off(units: Mapping[str, int], weights: Mapping[str, float]) -> bool:
    """Whether it is surely not by chance. Both name the same arms."""
    whole = sum(weights.values())
    shares = {arm: weight / whole for arm, weight in weights.items()}
    return log_mean_exp(_log_e(units, shares, prior) for prior in _PRIOR_UNITS) >= -math.log(_LEVEL)


def _log_e(units: Mapping[str, int], shares: Mapping[str, float], prior_units: int) -> float:
    found = math.lgamma(prior_units) - math.lgamma(prior_units + sum(units.values()))
    for arm, share in shares.items():
        count, prior = units.get(arm, 0), prior_units * share
        found += math.lgamma(prior + count) - math.lgamma(prior) - count * math.log(share)
    return found
