"""The errors that kcompile raises: what went wrong, where, what was received, how to mend it."""

from __future__ import annotations


class KcompileError(Exception):
    """Base of every error of this package. `where` is a layer, a file, or a place in an IR text."""

    def __init__(self, message: str, where: str | None = None):
        self.message = message
        self.where = where
        super().__init__(f"{message}\n  in {where}" if where else message)


class IRError(KcompileError):
    """An operation, a type or an IR text that breaks a rule of its level."""


class ShapeError(KcompileError, ValueError):
    """Shapes that do not fit together."""


class ArgumentError(KcompileError, ValueError):
    """An argument whose value cannot be used; the message says which values can."""


class UnsupportedError(KcompileError, NotImplementedError):
    """Something valid in Keras that this version does not compile; the message names what does work."""


class FormatError(KcompileError, ValueError):
    """A file that is damaged, or is not what it claims to be."""


class ArtifactError(KcompileError, RuntimeError):
    """An ahead-of-time artifact that does not fit this machine, this version, or its own manifest."""
