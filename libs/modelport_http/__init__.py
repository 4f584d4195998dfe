"""HTTP servers: errors, middlewares, connection limits, graceful stops and the fast path for predictions."""
