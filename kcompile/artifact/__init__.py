"""Ahead-of-time artifacts: a directory with everything that a program needs to run a compiled model."""
