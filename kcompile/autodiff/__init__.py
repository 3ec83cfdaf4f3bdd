"""Differentiation of graphs."""

from __future__ import annotations

from .reverse import gradients, pullback

__all__ = ["gradients", "pullback"]
