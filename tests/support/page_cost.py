"""What a page costs: bytes as they come over the wire, and the time until something is seen."""

import statistics

from tests.support.slowness import slowness
from tests.support.visitor import Visitor

BUDGET_BYTES, BUDGET_MILLISECONDS = 150_000, 300
_PAINTED = """() => new Promise((resolve) => {
  const read = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
  const wait = () => read() === undefined ? setTimeout(wait, 10) : resolve(read());
  wait();
})"""


def require_cheap(visitor: Visitor, path: str, loads: int = 5) -> None:
    """Fail if the page is larger, without a cache, or slower, as the median of `loads`, than may be."""
    size = bytes_of(visitor, path)
    assert 5_000 < size <= BUDGET_BYTES, (path, size)
    paints = [first_paint(visitor, path) for _ in range(loads)]
    assert statistics.median(paints) <= BUDGET_MILLISECONDS * slowness(), (path, paints)


def bytes_of(visitor: Visitor, path: str) -> float:
    """Of all that the page loads until it is still."""
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    visitor.open(path).wait_for_load_state("networkidle")
    session.detach()
    return sum(received)


def first_paint(visitor: Visitor, path: str) -> float:
    """Milliseconds."""
    return float(visitor.open(path).evaluate(_PAINTED))
