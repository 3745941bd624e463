"""Temperature and threshold, fitted on texts that were held back from training."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

UNSURE_SHARE = 0.15
"""Of the held-back texts of the source that is hardest to judge; the others have fewer."""

_TEMPERATURES = np.geomspace(0.4, 4.0, 400)


def temperature(logits: npt.NDArray[np.float64], labels: Sequence[int]) -> float:
    """The one under which the true labels are likeliest."""
    return float(min(_TEMPERATURES, key=lambda value: _loss(logits / value, labels)))


def threshold(logits: npt.NDArray[np.float64], temperature_: float, sources: Sequence[str]) -> float:
    """The confidence that UNSURE_SHARE of the texts do not reach, in the source that is hardest to judge."""
    confidences = np.exp(_log_softmax(logits / temperature_)).max(axis=1)
    source_of = np.array(sources)
    return min(float(np.quantile(confidences[source_of == source], UNSURE_SHARE)) for source in set(sources))


def calibration_error(confidences: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error: how far confidence and share of right answers lie apart, on average."""
    order = np.array_split(np.argsort(confidences), bins)
    gaps = [len(part) * abs(confidences[part].mean() - right[part].mean()) for part in order]
    return float(sum(gaps) / len(confidences))


def _loss(logits: npt.NDArray[np.float64], labels: Sequence[int]) -> float:
    return float(-_log_softmax(logits)[np.arange(len(labels)), list(labels)].mean())


def _log_softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: npt.NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result
