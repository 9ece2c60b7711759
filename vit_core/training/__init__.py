"""Training and evaluating a model in memory; ``vit_core.runs`` adds the run directory."""
