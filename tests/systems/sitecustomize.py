"""Takes from a fresh interpreter what Windows does not have, before anything else is imported."""

import multiprocessing
import os
import signal
import sys

for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for name in ("nice", "fork", "killpg"):
    if hasattr(os, name):  # on Windows itself it is not
        delattr(os, name)
for name in ("SIGUSR1", "SIGALRM", "SIGHUP"):
    if hasattr(signal, name):
        delattr(signal, name)
multiprocessing.set_start_method("spawn")
