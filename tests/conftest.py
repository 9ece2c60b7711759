"""What holds for every test."""

import os

from hypothesis import settings

# several processes test at once, each at its own core; torch reads this when it is imported,
# and so do the processes that tests start
os.environ["OMP_NUM_THREADS"] = "1"

# no test measures time, not even of one example
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
