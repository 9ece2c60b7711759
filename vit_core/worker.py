"""``python -m vit_core.worker``: a process that trains the run directories that it is given."""

from vit_core.runs.worker import main

if __name__ == "__main__":
    main()
