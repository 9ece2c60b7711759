"""From a choice to numbers: what the chosen model computes from the chosen picture."""
