"""The Kubernetes API behind the `Kube` interface, for every part that speaks to a cluster."""
