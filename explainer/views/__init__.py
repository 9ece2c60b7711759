"""Pages: from the choice and the observed model to what is drawn.

A page is one file, or a package with a file for each part.
"""
