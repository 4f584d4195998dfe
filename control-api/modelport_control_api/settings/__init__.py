"""Every setting of the control API, by subject; read from the environment."""
