"""JAX: functions that `jax.export` wrote."""
