"""river: models that learn row by row, in joblib or pickle."""
