"""Two choices side by side: how a page draws both halves, and what is between them."""
