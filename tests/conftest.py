"""What holds for every test."""

import os

# several processes test at once, each at its own core; torch reads this when it is imported,
# and so do the processes that tests start
os.environ["OMP_NUM_THREADS"] = "1"
