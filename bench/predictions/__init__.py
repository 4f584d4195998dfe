"""`make bench`: the groups of figures about predictions."""
