"""AutoGluon: predictors of tables, from a folder that holds their models."""
