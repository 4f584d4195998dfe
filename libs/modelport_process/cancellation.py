"""Loops that end when they are cancelled, whatever they await."""

import asyncio


def is_cancelled() -> bool:
    """Whether the running task was asked to end, though nothing was raised in it.

    redis-py sends with `asyncio.wait_for`, which in Python 3.11 swallows a cancellation that comes together
    with its result (https://github.com/python/cpython/issues/86296). A loop around it that does not ask would
    go on for ever, and whoever waits for its end with it.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
