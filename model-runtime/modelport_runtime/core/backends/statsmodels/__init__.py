"""statsmodels: what `fit()` returned, in joblib or pickle."""
