"""append_and_sync FILE BYTES SECONDS: the same as append_and_sync.c, where there is no compiler."""

import os
import sys
import time

path, size, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
block, appends, elapsed, start = b"x" * size, 0, 0.0, time.monotonic()
while elapsed < seconds:
    os.write(file, block)
    os.fdatasync(file)
    appends += 1
    elapsed = time.monotonic() - start
print(f"{appends / elapsed:.1f}")
