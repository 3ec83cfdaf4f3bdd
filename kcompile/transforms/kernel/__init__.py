"""Passes over the kernel level: which ops form one kernel, and its linalg form.

fuse-attention          two products and what is done along the rows between them: one dispatch
fuse-attention-gradient what attention gives back: one dispatch that makes the scores again
form-kernels            an op, a dispatch
fuse-*, reshape-*       dispatches become one: what may is in legality.py, what pays in cost_model.py,
                        how it is done in dispatches.py, which elements an op reads in access.py
shed-results            what readers can make of another result of a product is no result of it
outline-, dedupe-       dispatches become functions, equal ones the same
recompute-, read-parts  what costs no more where it is read than stored is made there
lower-to-linalg         kernel_lowering.py with one file for each kind of root; point_body.py makes scalar bodies;
                        convolution_phases.py says which taps an output meets where the input is dilated
"""
