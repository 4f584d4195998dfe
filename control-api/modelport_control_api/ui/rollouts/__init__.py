"""The pages about rollouts of a model: all of them, one, and starting one."""
