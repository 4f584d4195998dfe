"""What happened to models and jobs, and who is sent it."""

from modelport.alerts.events import Event
from modelport.alerts.webhooks import Delivery, Webhook

__all__ = ["Delivery", "Event", "Webhook"]
