"""The locks of all that takes much memory, so that it is taken once however many ask for it."""

from threading import RLock

# held while a large model's tensors are computed to be kept, and while a stranger's checkpoint is
# read and tried; who holds it may take it again
one_large_pass = RLock()
# held while a large model runs for its output alone, which takes less memory and may take longer:
# pages of others go on meanwhile
one_large_batch = RLock()
