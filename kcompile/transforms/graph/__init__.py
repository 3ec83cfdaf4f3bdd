"""Passes over the graph level; the order is in `kcompile.pipeline`.

canonicalize, fold-constants, cse, dce           one form, nothing twice, nothing for nobody
fold-scale-into-weights, pack-weights,
  hoist-weights                                  what the weights alone decide is done at load
simplify-scans, hoist-scan-invariants            loops do what they must, once what they may
mask-pooled-gradients, split-reductions,
  split-products, share-moments, recompute-masks less to do or to keep, more at once
fold-upsampling, use-winograd                    the same convolutions with fewer multiplications
decompose-*, align-operands, narrow-*,
  pointwise-to-dot                               the forms that strategies have kernels for
"""
