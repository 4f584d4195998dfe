"""The MLModel resource as Python sees it, and every name that more than one part must agree on."""
