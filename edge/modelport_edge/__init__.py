"""What both HTTP fronts (control-api and gateway) share: limits and cache, errors, request ids, logs."""
