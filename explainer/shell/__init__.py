"""What stands around every page: frame, guide, quiz, sidebar, picture picker, code panel."""
