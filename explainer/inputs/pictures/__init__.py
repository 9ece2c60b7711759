"""Pictures: test digits, the galleries, and what visitors draw, photograph or upload."""
