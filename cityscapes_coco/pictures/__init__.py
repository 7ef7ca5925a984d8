"""Pictures of a COCO file: examples, statistics, and the windows that show them.

Nothing outside this folder needs matplotlib.
"""
