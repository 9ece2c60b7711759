"""Own pictures: a visitor brings some of each class, and a run learns to tell them apart."""
