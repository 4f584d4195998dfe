"""What loading and proving leave behind is given back, before the process only waits."""

import ctypes
import gc


def settle() -> None:
    """Collect once, return free memory to the system, and spare what stays from further collections."""
    gc.collect()
    # glibc keeps what was freed in the middle of its heap: 1 to 5 MiB after a proof. Others lack the call.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    gc.freeze()
