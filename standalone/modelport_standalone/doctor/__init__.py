"""What the platform would do with a model file, found out before an upload. The file is never loaded."""
