"""Training: compile, fit, evaluate and predict on traced step functions."""
