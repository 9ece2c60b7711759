"""Training on a Ray cluster: what runs in the bridge's process and on the cluster's machines.

These two files are run by themselves, with Ray and the standard library alone. The server imports
neither them nor Ray (see ``explainer.training.ray_cluster``).
"""
