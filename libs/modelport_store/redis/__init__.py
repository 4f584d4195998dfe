"""The store in Redis: address, connection, scripts, and the client that reconnects by itself."""
