"""Pictures of a COCO file and of results: examples, pages, and the windows that show them.

Nothing outside this folder needs matplotlib.
"""
