"""From a choice to what its model would learn from its picture."""
