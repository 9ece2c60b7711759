"""PyTorch without those of its parts that this project never uses."""
