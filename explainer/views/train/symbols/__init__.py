"""Own symbols: a visitor draws a few of each, and a run learns to tell them apart."""
