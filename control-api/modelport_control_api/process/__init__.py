"""The control API as a process: its apps, wired together and served, and the commands beside it."""
