"""Passes over the kernel level: which ops form one kernel, and its linalg form."""
