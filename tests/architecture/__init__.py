"""The shape of the code, measured: imports, layers, folders and sizes. `make shape` prints it."""
