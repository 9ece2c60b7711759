"""What can be read from a model and its traces, one topic a file."""
