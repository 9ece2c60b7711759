"""What stands around every page: frame, quiz, sidebar, picture picker, code panel."""
