"""PyTorch: programs of torch.export (.pt2) and TorchScript (.pt)."""
