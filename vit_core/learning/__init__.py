"""How a model learns: the loss, its gradients, and what a step along them does."""
