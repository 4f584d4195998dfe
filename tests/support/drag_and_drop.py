"""Files let fall on a page, as a hand with a mouse does it."""

import base64
from pathlib import Path

from playwright.sync_api import Page

_TRANSFER = """([content, name]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], name));
  return transfer;
}"""


def drop(page: Page, path: Path) -> None:
    """Drag a file over the page's drop zone and let it fall there."""
    content = base64.b64encode(path.read_bytes()).decode()
    transfer = page.evaluate_handle(_TRANSFER, [content, path.name])
    for kind in ("dragenter", "dragover", "drop"):
        page.dispatch_event("[data-drop]", kind, {"dataTransfer": transfer})
