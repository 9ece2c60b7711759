"""Reading and writing files safely: atomic writes, locks, strict JSON, tensors, any file name."""
