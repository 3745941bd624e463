"""How the bundled model was made: from the base weights to the files in `processors/sentiment/model`.

Owns every step, as one seeded command: `python -m processors.sentiment.training --help`. Needs the
extra `training`. The running system never imports this package, and this package is unaware of it,
except for the text preparation and the classifier, which it shares so that training and operation
cannot differ.
"""
