"""What people read: an alert as a short message in Turkish or English, for a phone at night.

Owns: the catalogue (one mapping of texts per language, equal keys), number and time formats, and the order of lines:
what, since when, how much, how sure, who, where, the first posts, what was not listened to, what to do.

The machine reports an unusual rise, unverified, and judges nothing. Quoted posts are the only words that are not ours.
"""

from processors.alerting.messages.rendering import Message, Occasion, render

__all__ = ["Message", "Occasion", "render"]
