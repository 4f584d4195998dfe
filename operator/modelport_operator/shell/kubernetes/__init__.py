"""The operator as a process of its own on Kubernetes. Standalone imports none of it: kopf takes a second."""
