"""Upstream Kubernetes as processes of this machine: Linux, root."""
