"""What rollouts and experiments are decided by: what counts as another answer, what is counted, and tests
that hold at every look."""
