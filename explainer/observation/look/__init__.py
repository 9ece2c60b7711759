"""The numbers of the page that looks inside, one part of it a file."""
