"""The demo's invented city: a seeded stream of public mentions of a municipality that does not exist, and its watches.

Owns the story (`story.build`), the wording of its texts (phrases/) and `watches.yaml`. Knows nothing of Kafka, detectors
or the model: it says which surge should page, and the running system has to find out by itself. No text is anybody's.
"""
