"""Films as files: each frame is drawn from arrays, then all of them become a GIF or a WebP.

``sheet.py`` is what every frame stands on, ``attention.py`` and ``epochs.py`` draw the kinds of
frames, ``encode.py`` makes the file.
"""
