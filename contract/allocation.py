"""What the C library does with large blocks that are freed."""

import ctypes
import sys

# glibc's mallopt (3): M_TRIM_THRESHOLD and M_MMAP_THRESHOLD, and what they are raised to.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 256 << 20


def keep_freed_memory() -> None:
    """Let this process use freed blocks of some MB again, up to 256 MB, instead of giving each back to the system.

    By default glibc hands such a block back as it is freed, and asks for the same pages anew, zeroed and one fault a
    page, for the next one: writing item states to Redis ran at 550 MB/s instead of 1,630, and attention over 64 items
    took 8.4 ms instead of 3.8. Does nothing where there is no glibc.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)
