"""One platform over HTTP: `Transport` blocks, `AsyncTransport` awaits; what they do is in the same flows."""

from modelport.transport.asynchronous import AsyncTransport
from modelport.transport.blocking import Transport
from modelport.transport.retries import RetryPolicy, retry_after

__all__ = ["AsyncTransport", "RetryPolicy", "Transport", "retry_after"]
