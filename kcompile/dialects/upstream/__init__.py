"""Subsets of the MLIR dialects, under their own names and with their meaning."""
