"""Turkish text as the search index sees it: case, folding, words, near-duplicates, language, calls for help.

Owns the rules that matcher and Elasticsearch must share, so a watch finds the same posts in both. Knows nothing of
mentions, watches or privacy.
"""
