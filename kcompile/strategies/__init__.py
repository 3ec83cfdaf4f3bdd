"""Strategies: how a kernel becomes loops over tiles and registers. One file each, with `match` and `emit`.

    match(kernel, target) -> parameters | None      pure: whether the strategy takes the kernel, and how
    emit(kernel, parameters, target) -> func.func   the loops

`select` holds their order. register_tile makes the loops of most reductions; tile_choice says how large its tiles are,
placement where the elements of a result end up, points what was fused into a kernel at a point. A kernel whose result
is padded computes the inside alone: `Points.store` knows where that is, and the frame fills the border around it.
"""
