"""Pages: one thin file each, from the choice and the observed model to what is drawn."""
