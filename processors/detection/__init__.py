"""From hits to signals: the pure fold behind the role `detect`.

Owns: the fold over a partition (`fold`) and its watermark (`clocks`); of each watch (`watch`) its minutes (`buckets`), what
counts how much (`damping`), the last hour (`window`), what was usual before a rise (`before`), what was announced
(`expectations`), what a signal shows (`evidence`), and what is told beside the rises (`alone`): the first article of a story
(`articles`) and silent sources (`sources`, `habit`). Also how all of that is stored. A function of the records in `hits` alone.

Deliberately unaware of: Kafka, offsets, transactions, who is on call, the statistic itself (processors.spikes).
"""
