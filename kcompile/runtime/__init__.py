"""The Python side of the runtime: the host library, the binary interface of compiled models, memory for their calls.

It imports none of the compiler. The C side is in `runtime/`, its header `runtime/include/kc.h` is the contract.
"""
