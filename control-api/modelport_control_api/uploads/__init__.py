"""A multipart upload, received as a stream: the file to disk, a few short text fields beside it."""
