"""Rollouts: what users ask for, what is counted meanwhile, and how they end."""
