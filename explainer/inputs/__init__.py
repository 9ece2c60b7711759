"""What comes in from outside: models, pictures, and the files that visitors bring."""
