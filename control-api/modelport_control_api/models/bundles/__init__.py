"""Bundles of models' own packages, which Jobs on Kubernetes hand in."""
