"""Files that visitors bring: how large they may be, and what the server keeps of them meanwhile."""

MEGABYTE = 1024**2
MOST_BYTES = 32 * MEGABYTE  # of one file, a checkpoint; server.maxUploadSize says the same
SMALL = 8 * MEGABYTE  # of photographs and of models of digits, which need not wait for large files
