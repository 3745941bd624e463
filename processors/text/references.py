"""What a text refers to, as opposed to what it says: links, user names, and the marks that masking leaves of them."""

import re

_REFERENCE = re.compile(r"\w{1,20}://\S+|[wW]{3}\.\S+|@[\w.\-]+|\[[\w\-]{1,10}(?:: [\w.\-]+)?\]")


def without_references(text: str) -> str:
    """The text with a blank in place of each link, "@name", "[kişi]" or "[bağlantı: ornek.bel.tr]"."""
    return _REFERENCE.sub(" ", text)
