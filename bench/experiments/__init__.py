"""How often experiments are decided wrongly, and how often their intervals hold the truth."""
