"""The calls on events, and what watches for those that nobody's transaction makes."""
