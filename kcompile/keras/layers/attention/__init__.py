"""Attention layers, one a file; what several of them need is in `masks.py` and `projections.py`."""
