"""The running system: supervisor, roles (Faust agents), the fold module, the command line.

Owns: processes, consumer groups, offsets, transactions, wiring and configuration. An agent is thin: decode, call a
processor, send.

Deliberately unaware of: how a text is judged, when a rise is unusual, what a platform's wire format looks like.
"""
