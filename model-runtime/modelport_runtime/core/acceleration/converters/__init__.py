"""From fitted estimators to a plan. Imported only in the model process."""
