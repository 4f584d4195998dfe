"""What a model file is, read from its bytes in bounded memory: the upload and the runtime agree on it.

Nothing is ever unpickled, imported or run. The runtime imports this package: it needs the standard library
alone, but for files that are compressed with lz4.
"""
