"""From records to files: `render_*` gives bytes, `read_back_*` proves them, `file_pages` decides where a story stands.

Only `files.py` writes. Rendering is a function of the records alone: no clock, no chance, no order of a set (A30).
"""
