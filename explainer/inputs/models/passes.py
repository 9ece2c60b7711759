"""Locks for work that takes much memory, so that only one thread does it at a time."""

from threading import RLock

# held while a large model's tensors are computed and kept, and while a stranger's checkpoint is
# read and tried; a thread that holds it may take it again
one_large_pass = RLock()
# held while a large model runs for its output alone, which takes less memory but may take longer;
# other visitors' pages continue meanwhile
one_large_batch = RLock()
