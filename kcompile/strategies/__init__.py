"""Strategies: how a kernel becomes loops over tiles and registers. One file each, with `match` and `emit`.

    match(kernel, target) -> parameters | None      pure: whether the strategy takes the kernel, and how
    emit(kernel, parameters, target) -> func.func   the loops

`select` holds their order, `variants` what the tuner tries besides, `parts` what they are made of. A kernel whose result
is padded computes the inside alone: `Points.store` knows where that is, and the frame fills the border around it.
"""
