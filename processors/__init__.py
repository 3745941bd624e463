"""Pure logic: no I/O, no clock, no randomness unless a docstring says so. Imports schemas and nothing else of ours."""
