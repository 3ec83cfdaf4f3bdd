"""From loops to machine code: LLVM text, targets, objects, the cache, loading into this process."""
