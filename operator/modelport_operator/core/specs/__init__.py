"""One Kubernetes object a file: model, version and settings in, the object out."""
