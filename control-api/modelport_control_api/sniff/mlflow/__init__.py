"""MLflow model folders in one file: which model file in them is served, and the row that comes with it."""
