"""The privacy gate: what of a person may pass into a record, and in which form.

Owns masking, pseudonyms, sealing and the classes of authors. Deliberately unaware of connectors, topics and the index:
it takes strings and keys and returns strings. Keys are parameters; nothing here reads a file or a clock.
"""
