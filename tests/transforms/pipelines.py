"""The passes of this room in their order, for tests; the real order is `kcompile.pipeline.PIPELINE`."""

GRAPH = (
    "canonicalize", "fold-constants", "cse", "dce", "fold-scale-into-weights",
    "mask-pooled-gradients", "skip-unread", "unstride-pointwise", "decompose-convolution", "pointwise-to-dot",
    "decompose-windows", "split-reductions{least=8}", "align-operands", "narrow-dots",
    "split-products{least=16}", "canonicalize", "cse", "dce",
)  # fmt: skip
FUSION = (
    "form-kernels", "fuse-cheap-producers", "fuse-elementwise", "reshape-epilogues", "fuse-epilogues", "fuse-pads",
    "fuse-producers", "recompute-producers", "fuse-depthwise", "fuse-row-chains", "fuse-siblings", "cse",
)  # fmt: skip
OUTLINE = ("outline-kernels", "dedupe-kernels")
LINALG = ("lower-to-linalg",)
ALL = (*GRAPH, *FUSION, *OUTLINE, *LINALG)
ROUNDING = {  # what may change the last bits: other orders of summation
    "fold-scale-into-weights", "split-reductions{least=8}", "align-operands", "narrow-dots", "decompose-convolution",
    "split-products{least=16}",
    "skip-unread",
    "lower-to-linalg", "pointwise-to-dot",
}  # fmt: skip
