"""What a pass learns of a rollout: what was counted, and what kept rows come to."""
