"""Which version and which replicas a request goes to."""
