"""What is known of predictions whose truth was told: feedback, quality, experiments."""
