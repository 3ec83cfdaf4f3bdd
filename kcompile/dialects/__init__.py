"""Operations by level: graph (tensors), kernel (dispatch), plan (host program), upstream (MLIR dialects below)."""
