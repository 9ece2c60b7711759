"""Pictures as pure functions: arrays in, a plotly figure or HTML out."""
