"""Passes, by the level they read: graph, kernel, plan. One pass a file; a pass has its file's name."""
