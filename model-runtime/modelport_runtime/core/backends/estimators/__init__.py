"""scikit-learn's estimators, and whatever else has their methods."""
