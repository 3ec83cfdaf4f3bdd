"""What strategies are made of. Nothing here takes a kernel; each file is what several strategies, or one, need.

All: frame, a kernel's signature and its workers' shares; structured, its operations; points, what is fused into it, at
a point; placement, border and movement, where elements are; lanes; parameters. Reductions: tile_choice and
register_tile, combiner, chains, early_reads.
"""
