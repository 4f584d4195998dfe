"""A cluster of one machine: the API of `modelport_operator.kube.Kube`, with child processes for pods."""
