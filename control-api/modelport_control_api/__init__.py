"""The control plane: users, credentials, models and versions. Never unpickles anything."""
