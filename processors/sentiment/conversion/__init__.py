"""From a trained network to the files of a model folder: what the making of the bundled model and the import of another share.

Owns the export to ONNX, the 8-bit weights, the tokenizer's two files and the fit of temperature and threshold. Unaware of
where a network comes from. `torch` and `onnx` (the extra `training`) are imported inside the functions that need them;
the running system imports nothing of this package.
"""
