"""Training runs on the disk: the run directory, recording, resuming, and the command line."""
