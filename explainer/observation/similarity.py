"""The similarity of two rows of numbers."""

import numpy as np


def cosine(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the cosine of the angle between rows (…, D) and others (…, D), from -1 to 1.

    The axes before the last are broadcast. The cosine of a row of zeros is 0.
    """
    rows, others = rows.astype(np.float64), others.astype(np.float64)
    products = (rows * others).sum(axis=-1)
    lengths = np.linalg.norm(rows, axis=-1) * np.linalg.norm(others, axis=-1)
    return np.clip(products / np.where(lengths > 0, lengths, 1.0), -1, 1)
