"""Turkish case and ASCII folding, one character rule at a time, as Lucene's filters do it."""


def lower(text: str) -> str:
    """Lower case as Lucene's TurkishLowerCaseFilter: I becomes ı, İ becomes i, and so does I with a combining dot."""
    raise NotImplementedError


def upper(text: str) -> str:
    """Upper case: i becomes İ, ı becomes I."""
    raise NotImplementedError


def ascii_fold(text: str) -> str:
    """Replace Latin letters, digits and punctuation by their ASCII likeness, as Lucene's ASCIIFoldingFilter does."""
    raise NotImplementedError


def before_apostrophe(token: str) -> str:
    """The token up to its first ' or ’, as Lucene's ApostropheFilter: "İzmir'den" gives "İzmir"."""
    raise NotImplementedError
