"""Results as a download: the files of the chunks in order, converted one at a time."""
