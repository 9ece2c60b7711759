"""Training on a Ray cluster.

The server has ``manager``, ``cluster``, ``reports`` and ``worker``, and no Ray in its process.
``bridge``, with ``actor`` and ``run_files``, is a process of its own that speaks with Ray.
``node_worker`` is sent to the machines of the cluster. What is not the server's needs Ray and the
standard library alone.
"""
