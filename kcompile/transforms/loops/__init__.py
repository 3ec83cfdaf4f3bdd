"""Passes on kernels at the linalg and loops levels."""
