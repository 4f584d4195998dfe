"""Events, and the webhooks that are sent them."""
