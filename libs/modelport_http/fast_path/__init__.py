"""HTTP/1.1 with as little per request as it allows: the fast path of gateway and runtime."""
