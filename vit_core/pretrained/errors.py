"""What can go wrong with others' weights."""


class PretrainedError(ValueError):
    """Weights that cannot be had or do not fit; the message is one sentence."""


class Cancelled(PretrainedError):
    """Somebody no longer wants the download."""
