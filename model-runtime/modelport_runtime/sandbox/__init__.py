"""Giving up rights before a model is read: what the kernel then refuses, no model code can take back."""
