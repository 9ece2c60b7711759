"""The app: it shows what a `vit_core` model computes, and computes nothing of it itself."""
