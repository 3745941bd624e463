"""The first article: with which the press or an official source begins to speak ill, or calls for help. One notice a story.

A story is one text however it was edited: agencies' copies differ in dateline, headline and a word here and there. The
signatures of such copies differ in few of their 64 bits; one that is further from all that came before is told as a story
of its own. Measured: 0 to 12 over three in four of the usual edits of invented agency reports (the rest, mostly cuts, up to
20); of 2.2 million pairs of unrelated posts (complaints, and tweets of a few words) two at 12 bits and none below. Too many
bits would swallow a story that nobody then hears of, too few tell one twice: 12 keep the first at about one story in ten
thousand.

What is remembered is the signature, the place and the last time of a story, never its text: a story that is deleted leaves
nothing here. A notice never counts for a rise nor for the budget of false calls.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

from processors.detection.clocks import bucket_of
from processors.text.signature import near
from schemas.authors import AuthorClass
from schemas.hits import Hit
from schemas.labels import Label
from schemas.signals import FirstArticle

SPEAKERS: Final = frozenset({AuthorClass.PRESS, AuthorClass.OFFICIAL})
STORY_BITS: Final = 12
FORGOTTEN_AFTER: Final = 48 * 60  # minutes of event time after the last copy of a story
STORIES: Final = 64  # remembered; of more, the longest unheard of is forgotten
WINDOW: Final = 60  # minutes
NOTICES_A_WINDOW: Final = 4
"""Negative mentions that are told; as many calls for help have a share of their own, which no other story takes from them."""
_TOLD_KEPT: Final = 2 * 2 * NOTICES_A_WINDOW  # of both kinds, in the windows before and after a late one

_VERSION: Final = 1


def begins_a_story(hit: Hit) -> bool:
    """Whether the hit would be told if nobody had told its story before."""
    return hit.author_class in SPEAKERS and (hit.help_call or hit.sentiment.label is Label.NEGATIVE)


@dataclass(slots=True)
class _Story:
    signature: str
    place: str | None
    last: int  # minute of its last copy

    def holds(self, hit: Hit) -> bool:
        """Equal texts are one story; similar ones too, unless they name two places: "… ilçesinde su kesintisi" is told of many."""
        if self.signature == hit.signature:
            return True
        elsewhere = self.place is not None and hit.place is not None and self.place != hit.place
        return not elsewhere and _alike(self.signature, hit.signature)


def _alike(one: str, other: str) -> bool:
    try:
        return near(one, other, STORY_BITS)
    except ValueError:  # of another making than ours: only equality, which was asked before, can be said
        return False


class Articles:
    """What one watch remembers of stories. Made at its first one."""

    __slots__ = ("_latest", "_left_out", "_stories", "_told", "changed")

    def __init__(self) -> None:
        self._stories: list[_Story] = []
        self._told: list[tuple[int, bool]] = []  # minutes of the last notices, and whether they were of calls for help
        self._left_out = 0
        self._latest = 0  # the latest minute of any story
        self.changed = False  # since it was stored

    def take(self, hit: Hit) -> FirstArticle | None:
        """What is to be told of a hit that `begins_a_story`; None when its story is known or too many were told just now.

        Minutes may come in any order. What is so old that its story could have been forgotten is told no more.
        """
        minute = bucket_of(hit.event_time)
        if minute < self._latest - FORGOTTEN_AFTER:
            return None
        self.changed = True
        self._latest = max(self._latest, minute)
        self._forget()
        known = next((story for story in self._stories if story.holds(hit)), None)
        if known is not None:
            known.last = max(known.last, minute)
            return None
        self._stories.append(_Story(hit.signature, hit.place, minute))
        return self._tell(minute, hit)

    def _forget(self) -> None:
        self._stories = [story for story in self._stories if story.last >= self._latest - FORGOTTEN_AFTER]
        while len(self._stories) >= STORIES:
            self._stories.remove(min(self._stories, key=lambda story: (story.last, story.signature)))
        self._told = [told for told in self._told if told[0] > self._latest - FORGOTTEN_AFTER]

    def _tell(self, minute: int, hit: Hit) -> FirstArticle | None:
        told = sum(abs(minute - other) < WINDOW and help_call is hit.help_call for other, help_call in self._told)
        if told >= NOTICES_A_WINDOW:
            self._left_out += 1
            return None
        self._told = [*self._told, (minute, hit.help_call)][-_TOLD_KEPT:]
        found = FirstArticle(help_call=hit.help_call, left_out=self._left_out)
        self._left_out = 0
        return found

    def dump(self) -> dict[str, Any]:
        """As JSON, with its version."""
        return {
            "version": _VERSION,
            "stories": [[story.signature, story.place, story.last] for story in self._stories],
            "told": [list(told) for told in self._told],
            "left_out": self._left_out,
            "latest": self._latest,
        }

    @classmethod
    def restore(cls, stored: dict[str, Any]) -> Self:
        """The inverse of `dump`. Raises ValueError for a version that it does not know."""
        if stored["version"] != _VERSION:
            raise ValueError(f"stories of version {stored['version']} are not of version {_VERSION}")
        articles = cls()
        articles._stories = [_Story(*story) for story in stored["stories"]]
        articles._told = [(minute, help_call) for minute, help_call in stored["told"]]
        articles._left_out, articles._latest = stored["left_out"], stored["latest"]
        return articles
