from kcompile.ir.core import Block
def expansion(name, type) -> Block: raise NotImplementedError(name)
