"""The sentiment of a Turkish text towards what it speaks of: negative, neutral, positive, or unsure.

Owns the preparation of the text, the labels and the rule that picks one, the bundled model in `model/`
and the class that runs it. `training/` holds how the bundled model was made, `importing/` how another
one is brought, `conversion/` what both need; nothing here imports them.

Unaware of Kafka, watches, authors and languages: the caller says which texts are Turkish, and what an
`unsure` one counts as. Offline by construction: the model is a local folder, and only
`text_model.TextModel` imports `transformers`, when it loads.
"""

import os
from pathlib import Path

# Since 1.29 ONNX Runtime writes an identifier into the user's folder and reports to its maker over the network, from the
# moment it is imported, unless this stands in the environment before. Nothing leaves the institution's machines.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from processors.sentiment.classifier import Classifier, ModelUnusable, Prediction
from processors.sentiment.labels import Label, decide

BUNDLED_MODEL = Path(__file__).parent / "model"

__all__ = ["BUNDLED_MODEL", "Classifier", "Label", "ModelUnusable", "Prediction", "decide"]
