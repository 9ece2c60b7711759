"""Finds the ink of one digit in a photograph with any paper, light and surroundings."""
