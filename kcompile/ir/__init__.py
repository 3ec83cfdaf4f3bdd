"""The SSA core: types, attributes, operations, text, rewriting, passes, interpreter."""
