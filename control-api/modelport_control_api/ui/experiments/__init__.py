"""The pages about experiments of a model: all of them, one, and beginning one."""
