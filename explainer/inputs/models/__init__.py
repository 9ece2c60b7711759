"""Models: shipped ones, saved epochs of runs, uploads, pretrained ones, and their memory."""
