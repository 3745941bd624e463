"""What `enrich` makes of a mention: which watches match it, and the records that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from processors.privacy.identity import day_watch_key
from processors.text.help_calls import calls_for_help
from processors.text.language import detect
from processors.text.signature import signature
from processors.watches.matcher import Candidate, WatchSet
from schemas.enriched import EnrichedMention
from schemas.hits import EXCERPT_CHARACTERS, Hit
from schemas.labels import Label
from schemas.mentions import Mention
from schemas.sentiments import NO_MODEL, Sentiment

TURKISH = "tr"


@dataclass(frozen=True, slots=True)
class Matched:
    """A mention that at least one watch takes, before its tone is known."""

    mention: Mention
    language: str
    watches: tuple[str, ...]
    help_call: bool
    """See processors.text.help_calls: told from the words alone, whatever the tone or the language will be."""

    @property
    def classifiable(self) -> bool:
        """The model knows Turkish only; other languages are counted as unsure."""
        return self.language in (TURKISH, "und")


def match(mention: Mention, watches: WatchSet) -> Matched | None:
    """None when no watch takes the mention: it goes no further."""
    language = detect(mention.text, mention.language_hint)
    candidate = Candidate(
        text=mention.text, platform=mention.platform, language=language, author_class=mention.author_class,
        place=mention.place, source=mention.source,
    )  # fmt: skip
    found = watches.matching(candidate)
    return Matched(mention, language, tuple(found), calls_for_help(mention.text)) if found else None


def tones(matched: Sequence[Matched], judged: Sequence[Sentiment]) -> list[Sentiment]:
    """One for each, from the model's answers on those that are classifiable, in their order."""
    answers = iter(judged)
    unsure = Sentiment(label=Label.UNSURE, confidence=0, model=NO_MODEL)
    return [next(answers) if found.classifiable else unsure for found in matched]


def enriched(matched: Matched, sentiment: Sentiment, secret: bytes) -> EnrichedMention:
    """The record for the index. The author's key is replaced by keys that are good for one watch on one day."""
    mention = matched.mention
    keys: tuple[str, ...] = ()
    if mention.author_key is not None:
        day = mention.event_time.date()
        keys = tuple(day_watch_key(secret, mention.author_key, day, watch_id) for watch_id in matched.watches)
    return EnrichedMention(
        mention=mention.model_copy(update={"author_key": None}), language=matched.language, sentiment=sentiment,
        signature=signature(mention.text), watches=matched.watches, author_day_keys=keys, help_call=matched.help_call,
    )  # fmt: skip


def hits(matched: Matched, sentiment: Sentiment, *, partition: int, offset: int) -> Sequence[Hit]:
    """One hit per watch, in the order of their ids; `partition` and `offset` are the mention's own."""
    mention, text_signature = matched.mention, signature(matched.mention.text)
    return [
        Hit(
            watch_id=watch_id, mention_id=mention.mention_id, event_time=mention.event_time, observed_at=mention.observed_at,
            source=mention.source, source_position=mention.source_position, origin_partition=partition, origin_offset=offset,
            platform=mention.platform, author_key=mention.author_key, author_class=mention.author_class, reach=mention.reach,
            place=mention.place, signature=text_signature, sentiment=sentiment, excerpt=mention.text[:EXCERPT_CHARACTERS],
            help_call=matched.help_call, is_backfill=mention.is_backfill, is_drill=mention.is_drill,
        )
        for watch_id in sorted(matched.watches)
    ]  # fmt: skip
