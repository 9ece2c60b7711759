"""Pictures as files for books and slides: what a page shows, with a margin that says what it is.

``files.py`` makes the bytes. The others say how each kind of picture is drawn: ``matrices.py``,
``charts.py``, ``panels.py``, ``tables.py`` and ``page_html.py``, on a sheet of ``paper.py``, inside
of the margin of ``margin.py``. All sizes are CSS pixels; the background is white.
"""
