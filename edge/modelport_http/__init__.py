"""What the hot paths of gateway and runtime share: HTTP/1.1 with as little per request as it allows."""
