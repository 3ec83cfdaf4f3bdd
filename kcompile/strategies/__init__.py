"""Strategies: how a kernel becomes loops over tiles and registers. One file each, with `match` and `emit`.

    match(kernel, target) -> parameters | None      pure: whether the strategy takes the kernel, and how
    emit(kernel, parameters, target) -> func.func   the loops

`select` holds their order, `variants` what the tuner tries besides, `parts` what strategies are made of. Where a result
is padded, a kernel computes the inside alone: `Points.store` knows where it is, the frame fills the border around it.
"""
