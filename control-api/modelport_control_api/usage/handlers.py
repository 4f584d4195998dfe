"""The handlers of all kinds of samples. A slice that reads one adds its line."""

from modelport_edge.usage import drift_counts, kept_prediction

from modelport_control_api.drift import arrivals as drift_arrivals
from modelport_control_api.history import arrivals
from modelport_control_api.settings import Settings
from modelport_control_api.usage.samples import Handlers


def build(_settings: Settings) -> Handlers:
    return {kept_prediction.KIND: arrivals.write, drift_counts.KIND: drift_arrivals.write}
