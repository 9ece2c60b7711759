"""Files that visitors upload: how large they may be, and how their memory is bounded."""

MEGABYTE = 1024**2
MAX_BYTES = 32 * MEGABYTE  # of one file, a checkpoint; the same as server.maxUploadSize
MAX_SET = 60 * MEGABYTE  # of the files that one visitor chooses together, such as pictures
SMALL = (
    8 * MEGABYTE
)  # photographs and models of digits are smaller, and do not wait for large files
