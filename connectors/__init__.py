"""The edges of the system: sources that bring posts in, sinks that take documents and notifications out.

Owns: foreign protocols, the privacy gate that every post passes before the first record, checkpoints, retries, and the
translation of vendors' errors into ours. Imports schemas and processors.

Deliberately unaware of: Faust, consumer groups, folds, the command line.
"""
