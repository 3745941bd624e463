"""From a Hugging Face classifier in a local folder to a model folder that `Classifier` runs: `nabiz model import`.

Owns what is accepted, whose label is which of ours, the comparison with the original, and that the result stands there
whole or not at all. Unaware of the network (`pipeline.model_download` fetches), of terminals, and of the bundled model.
The running system imports nothing of this package.
"""

from processors.sentiment.importing.conversion import ImportOrder, ImportResult, convert, require_before_fetching
from processors.sentiment.importing.refusal import ImportRefused

__all__ = ["ImportOrder", "ImportRefused", "ImportResult", "convert", "require_before_fetching"]
