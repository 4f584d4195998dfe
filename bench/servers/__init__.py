"""What is measured, as processes of this machine, each on one core."""
