"""Freed blocks are used again: a second one of the same size brings next to no page faults."""

import resource
import subprocess
import sys

FAULTS = """
import resource
from contract.allocation import keep_freed_memory

if {keep}:
    keep_freed_memory()
block = bytearray(b"x") * (8 << 20)
del block
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    blocks = [bytearray(b"x") * (7 << 20) for _ in range(4)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(keep: bool) -> int:
    code = FAULTS.format(keep=keep)
    return int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def test_memory_that_was_freed_is_not_faulted_in_again() -> None:
    pages = 20 * 4 * (7 << 20) // resource.getpagesize()
    assert faults(keep=False) > pages / 4
    assert faults(keep=True) < pages / 10
