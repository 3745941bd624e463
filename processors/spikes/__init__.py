"""Unusual rises in a count: is this many mentions chance, and when is somebody to be told?

Owns: the statistic SURGE (`surge`), how a mention's weight is damped (`damping`), the levels and reports of one rise
(`episode`), and a way to run all three over a list (`series`). To judge it: the statistic for many series at once (`fleet`),
the published rules of others (`rivals`), both on any series of counts (`evaluation`), and how soon a rise is found (`power`).

SURGE in one paragraph. A series is the damped weight of a watch's mentions in each minute of event time. `baseline`
learns what is usual for the hour and the weekday, a sparse series' hours from those around and from a `typical` day. Two
statistics (`members`) say how far the series is above that: the last hour against a usual one, and the sum of what exceeds 3
times the usual. `tails` knows how high each of them has come by itself in the past weeks, and so turns it into one number, the
score: e^-score false alarms a week would reach it. The user's budget ("one false alarm in 12 weeks") is compared with that and
nothing else has to be set.

The constants were chosen on the ten realTweets series of numenta/NAB (2015) and on simulated streams with the same
noise, the typical day on posts about universities; they are named where they are used. Everything is a function of the
calls: no I/O, clock or randomness. Results are equal to the last bit wherever the C library's exp, log and pow are, whether or
not the state was stored in between.

Deliberately unaware of: records, Kafka, watches, sentiment, who is on call.
"""

from processors.spikes.damping import Damping, copy_weight, weigh
from processors.spikes.episode import Episode, Level, Policy, Transition, TransitionKind
from processors.spikes.evidence import Evidence, Member
from processors.spikes.series import Mention, Series, run_counts, run_mentions
from processors.spikes.surge import Surge

__all__ = [
    "Damping",
    "Episode",
    "Evidence",
    "Level",
    "Member",
    "Mention",
    "Policy",
    "Series",
    "Surge",
    "Transition",
    "TransitionKind",
    "copy_weight",
    "run_counts",
    "run_mentions",
    "weigh",
]
