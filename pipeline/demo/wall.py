"""What the demo shows on the terminal, in Turkish or English."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from pipeline.demo.surges import Surge
from pipeline.report.phone import phone
from schemas.alerts import Notification
from schemas.signals import SignalLevel

PHONE_COLUMNS: Final = 56
LOCAL: Final = timezone(timedelta(hours=3))
_TONES: Final = ("negative", "neutral", "positive", "unsure")

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "tr": {
        "counts": "{clock}  {mentions} paylaşım",
        "waiting": "roller hazırlanıyor …",
        "negative": "olumsuz", "neutral": "nötr", "positive": "olumlu", "unsure": "belirsiz",
        "begins": "▲ başlıyor: {title}",
        "quiet": "✓ çağrı yok: {title} – {why}",
        "noticed": "✓ çağrı yok, yalnız bildirim: {title} – {why}",
        "paged": "✗ beklenmeyen çağrı: {title}",
        "away": "■ Elasticsearch durduruluyor: çağrı ona bağlı değil",
        "back": "■ Elasticsearch yeniden başlatılıyor: bekleyenler şimdi dizine yazılacak",
        "page": "Nöbetçinin telefonuna giden çağrı:",
        "stored": "Geldiği gibi / saklandığı gibi:",
        "deleted": "Silinen paylaşım: kanıttaydı: {was}, şimdi kanıtta: {now}, dizinde: {index}",
        "yes": "evet", "no": "hayır",
        "outage": "Elasticsearch {seconds:.0f} s yoktu; çağrı bu sırada gitti; sonra {indexed} paylaşım yazıldı, eksik: {missing}",
        "no_page": "Su kesintisi için çağrı gitmedi: bu bir hata. Günlükler: {logs}",
        "memory": "Bellek {memory}, disk {disk}",
        "report": "Rapor: {file} (ağ olmadan açılır)",
        "done": "Bitti: {seconds:.0f} s",
    },
    "en": {
        "counts": "{clock}  {mentions} mentions",
        "waiting": "roles are getting ready …",
        "negative": "negative", "neutral": "neutral", "positive": "positive", "unsure": "unsure",
        "begins": "▲ begins: {title}",
        "quiet": "✓ no page: {title} – {why}",
        "noticed": "✓ no page, a notice only: {title} – {why}",
        "paged": "✗ unexpected page: {title}",
        "away": "■ stopping Elasticsearch: the page does not need it",
        "back": "■ starting Elasticsearch again: what waited is indexed now",
        "page": "The page on the phone of whoever is on call:",
        "stored": "As received / as stored:",
        "deleted": "The deleted post: was in the evidence: {was}, is now: {now}, in the index: {index}",
        "yes": "yes", "no": "no",
        "outage": "Elasticsearch was away for {seconds:.0f} s; the page went out meanwhile; {indexed} mentions written since, missing: {missing}",
        "no_page": "No page for the water cut: that is a fault. Logs: {logs}",
        "memory": "Memory {memory}, disk {disk}",
        "report": "Report: {file} (opens without network)",
        "done": "Done in {seconds:.0f} s",
    },
}  # fmt: skip


class Wall:
    """A live line of counts with events above it; on a pipe, a line now and then. Use as a context manager."""

    def __init__(self, language: str, console: Console) -> None:
        self._language, self._console, self._texts = language, console, TEXTS[language]
        self._live = Live(Text(""), console=console, transient=True, refresh_per_second=8)
        self._last_plain = ""

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, name: str, **values: object) -> None:
        """A line above the counts."""
        self._console.print(Text(self._texts[name].format(**values)))

    def plain(self, text: str) -> None:
        """Text as it is."""
        self._console.print(Text(text))

    def word(self, name: str) -> str:
        """A word of the language."""
        return self._texts[name]

    def counts(self, mentions: int, tones: Counter[str], clock: datetime | None) -> None:
        """The live line."""
        if clock is None:
            line = self._texts["waiting"]
        else:
            shares = "  ".join(f"{self._texts[tone]} %{100 * tones[tone] / mentions:.0f}" for tone in _TONES)
            line = (
                self._texts["counts"].format(clock=f"{clock.astimezone(LOCAL):%d.%m. %H:%M}", mentions=mentions) + "   " + shares
            )
        if self._console.is_terminal:
            self._live.update(Text(line, style="bold"))
        elif line[:8] != self._last_plain[:8]:  # once an hour of the story
            self._last_plain = line
            self._console.print(Text(line))

    def begins(self, surge: Surge) -> None:
        """A surge of the story has begun."""
        self.say("begins", title=self._title(surge))

    def over(self, surge: Surge, reached: SignalLevel | None) -> None:
        """A surge that should not page is over."""
        why = surge.why_tr if self._language == "tr" else surge.why_en
        key = {None: "quiet", SignalLevel.NOTICE: "noticed", SignalLevel.PAGE: "paged"}[reached]
        self.say(key, title=self._title(surge), why=why)

    def _title(self, surge: Surge) -> str:
        return surge.title_tr if self._language == "tr" else surge.title_en

    def search_server_away(self) -> None:
        """Elasticsearch is being stopped."""
        self.say("away")

    def search_server_back(self) -> None:
        """Elasticsearch is being started."""
        self.say("back")

    def page(self, notification: Notification) -> None:
        """The page, as a phone would show it."""
        self.say("page")
        self._console.print(Text(phone(notification, columns=PHONE_COLUMNS, is_unicode=self._console.encoding.startswith("utf"))))
