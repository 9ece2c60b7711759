"""Where the ink of one digit is in a photograph, whatever paper, light and desk are around it."""
