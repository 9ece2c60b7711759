"""Which model, picture and place is looked at: the link, the choice, the session."""
