"""From hits to signals: the pure fold behind the role `detect`.

Owns: the watermark, minutes of event time per watch, what counts how much, when a signal is due, its evidence, and how
all of that is stored. A function of the records in `hits` alone.

Deliberately unaware of: Kafka, offsets, transactions, who is on call, the statistic itself (processors.spikes).
"""
