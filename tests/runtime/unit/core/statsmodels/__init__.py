"""What of statsmodels is understood without it."""
