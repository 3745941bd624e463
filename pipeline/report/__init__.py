"""What happened, on one page that can be read, printed and passed on: gathered from the topics of one namespace.

Owns: the facts of a report (`facts`), where quoted texts come from (`texts`), the picture of the counts (`chart`), the
words in Turkish and English, the HTML file, and a notification as a phone would show it (`phone`). Decides nothing: every
figure stands in a record already. Knows nothing of how the demo makes what it adds (`extras`).
"""
