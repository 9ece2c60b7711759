"""A visitor's own pictures in a few classes, to learn from: read, checked and kept for a while."""
