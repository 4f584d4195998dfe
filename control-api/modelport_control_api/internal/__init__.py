"""The app behind the internal port: for the gateway and init containers only."""
