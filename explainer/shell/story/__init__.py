"""What the story's screens show of a model and a picture, packed for a browser."""
