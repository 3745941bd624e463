"""What the training is made of, as far as it can be tried without hours: texts, variations, leaks, diacritics."""

import gzip
import json
import random
from collections import Counter
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from processors.sentiment import BUNDLED_MODEL
from processors.sentiment.behaviour import bundled_suite
from processors.sentiment.essence import essence
from processors.sentiment.labels import CLASSES
from processors.sentiment.prepare import prepare_turkish
from processors.sentiment.training import corpus, diacritics, leak_check, phrases, teachers, texts
from processors.sentiment.training.corpus import Example, Shown
from processors.sentiment.training.leaks import Measured, leaks
from processors.text.diacritics import plain


def examples(source: str, count: int) -> list[Example]:
    """All different, also to whoever counts neither digits nor lengthened letters."""
    words = ["su", "yol", "park", "hat", "köprü", "durak", "sokak", "kablo", "fatura", "borç"]
    texts = [" ".join(words[int(digit)] for digit in f"{number:03}") for number in range(count)]
    word = source.replace("-", "")  # with two words in common most would be near copies
    return [Example(f"{word} {text}", number % 3, source) for number, text in enumerate(texts)]


def whole_corpus() -> list[Example]:
    return [example for source in (*corpus.DRAWN_PER_ROUND, *corpus.NEVER_DRAWN) for example in examples(source, 600)]


class TestCorpus:
    def test_what_is_measured_on_is_never_trained_on(self) -> None:
        """Neither forbidden texts nor their copies, nor the held back ones, nor whole sources."""
        everything = whole_corpus()
        forbidden = [example.text for example in everything[:50]]
        parts = corpus.split(everything, [text.upper() + " https://ornek.example/x" for text in forbidden], seed=1)
        trained = {example.text for of_source in parts.training.values() for example in of_source}
        assert not trained & set(forbidden)
        assert not trained & {example.text for example in parts.held_back}
        assert Counter(example.source for example in parts.held_back) == corpus.HELD_BACK
        assert not set(parts.training) & set(corpus.NEVER_DRAWN)

    def test_near_copies_of_what_is_held_back_are_left_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Else temperature and threshold would be fitted on what the network half knows."""
        monkeypatch.setattr(corpus, "DRAWN_PER_ROUND", {"polistance": 50})
        monkeypatch.setattr(corpus, "HELD_BACK", {"polistance": 1})
        near = [
            Example(f"Sular üç gündür kesik, belediyeyi arıyoruz {end} yok", 0, "polistance") for end in ("açan", "cevap", "ses")
        ]
        far = Example("Park bugün çok güzel", 2, "polistance")
        parts = corpus.split([*near, far], [], seed=2)
        assert parts.held_back[0] in near
        assert parts.training == {"polistance": [far]}
        with pytest.raises(ValueError, match="nothing but near copies"):
            corpus.split(near, [], seed=1)

    def test_an_invented_text_that_is_measured_on_is_left_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Somebody else has written a word or two of thanks, too; a text without a letter is no copy of another one."""
        monkeypatch.setattr(corpus, "DRAWN_PER_ROUND", {"polistance": 50})
        free = corpus.invented(corpus.split(examples("polistance", 500), [], seed=1), 3, 400)
        first = free[0].text
        parts = corpus.split(examples("polistance", 500), [first.upper(), "👏👏"], seed=1)
        assert all(essence(example.text) != essence(first) for example in corpus.invented(parts, 3, 400))
        assert all(
            essence(text.text) != essence(first) for texts in corpus.draw(parts, [], parts.measured, 1, seed=3) for text in texts
        )
        assert not parts.measured.is_repeated_by("🙏")

    def test_a_text_that_variation_makes_a_near_copy_is_left_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Half of the runs of words are enough, and a typing error more or less can bring that about."""
        monkeypatch.setattr(corpus, "DRAWN_PER_ROUND", {"polistance": 2})
        monkeypatch.setattr(corpus, "INVENTED_PER_ROUND", 0)
        monkeypatch.setattr(corpus, "vary", lambda text, _: text.replace("Suları", "Sular"))
        measured = Measured(["Sular üç gündür kesik belediye susuyor"])
        written = [Example("Suları üç gündür kesik belediye", 0, "polistance"), Example("Park çok güzel olmuş", 2, "polistance")]
        parts = corpus.Corpus(training={"polistance": written}, held_back=[], measured=measured)
        assert not any(measured.is_repeated_by(text.text) for text in written)
        (texts,) = corpus.draw(parts, [], measured, 1, seed=3)
        assert [text.text for text in texts] == ["park çok güzel olmuş"]

    def test_copies_that_disagree_teach_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One of the labels is wrong, and nobody knows which."""
        monkeypatch.setattr(corpus, "DRAWN_PER_ROUND", {"polistance": 50})
        twice = [Example("Aynı söz", 0, "polistance"), Example("aynı söz!", 2, "polistance"), *examples("polistance", 500)]
        parts = corpus.split(twice, [], seed=1)
        texts = [example.text for example in (*parts.training["polistance"], *parts.held_back)]
        assert len(texts) == 500
        assert "Aynı söz" not in texts

    def test_a_source_with_too_little_is_refused(self) -> None:
        """Otherwise its few texts would be drawn for ever."""
        with pytest.raises(ValueError, match="polistance has 400 usable texts, more than 400 are needed"):
            corpus.split(examples("polistance", 400), [], seed=1)

    def test_rounds_are_the_same_for_the_same_seed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And go on through a source before they begin it anew."""
        monkeypatch.setattr(corpus, "DRAWN_PER_ROUND", {"polistance": 50})
        monkeypatch.setattr(corpus, "INVENTED_PER_ROUND", 10)
        parts = corpus.split(examples("polistance", 500), [], seed=1)
        first, second = corpus.draw(parts, [], parts.measured, 2, seed=3)
        assert [first, second] == list(corpus.draw(parts, [], parts.measured, 2, seed=3))
        drawn = [example.text for example in (*first, *second) if example.source == "polistance"]
        assert len(set(drawn)) == len(drawn) == 100
        assert Counter(example.source for example in first) == {"polistance": 50, "invented": 10}

    def test_what_teachers_judged_is_drawn_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With their shares instead of a label, and only as often as the rest allows."""
        monkeypatch.setattr(corpus, "DRAWN_PER_ROUND", {"polistance": 50})
        monkeypatch.setattr(corpus, "INVENTED_PER_ROUND", 0)
        monkeypatch.setattr(corpus, "TAUGHT_PER_ROUND", 30)
        parts = corpus.split(examples("polistance", 500), [], seed=1)
        judged = [Shown(f"{example.text} konusu", (0.2, 0.5, 0.3), "taught") for example in examples("telecom", 100)]
        (texts,) = corpus.draw(parts, judged, parts.measured, 1, seed=3)
        assert Counter(text.source for text in texts) == {"polistance": 50, "taught": 30}
        assert {text.shares for text in texts if text.source == "taught"} == {(0.2, 0.5, 0.3)}
        assert {sum(text.shares) for text in texts if text.source == "polistance"} == {1.0}

    def test_what_teachers_judged_is_kept_for_the_same_texts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A training that goes on asks no teacher again; one on other labelled texts, or by another program, does."""
        file, posts, labelled = (
            tmp_path / "taught.jsonl",
            ["Sular yine\u2028kesik!", "Teşekkürler, çok güzel olmuş."],
            examples("telecom", 30),
        )
        judged = teachers.taught(file, posts, labelled, BUNDLED_MODEL, 1, code="a")
        assert [CLASSES[int(np.argmax(each.shares))] for each in judged] == ["negative", "positive"]
        monkeypatch.setattr(teachers, "_of_model", lambda *_: pytest.fail("a teacher was asked"))
        assert teachers.taught(file, posts, labelled, BUNDLED_MODEL, 1, code="a") == judged
        for other, code in ((labelled[1:], "a"), (labelled, "b")):
            with pytest.raises(pytest.fail.Exception, match="a teacher was asked"):
                teachers.taught(file, posts, other, BUNDLED_MODEL, 1, code=code)

    def test_unseen_sources_share_nothing_with_the_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A review that stands in two collections was seen in one."""
        monkeypatch.setattr(corpus, "UNSEEN_PER_SOURCE", 20)
        everything = whole_corpus()
        chosen = corpus.sample_unseen(everything, [], seed=1)
        assert Counter(example.source for example in chosen) == dict.fromkeys(corpus.NEVER_DRAWN, 20)
        copied = chosen[5]
        assert corpus.sample_unseen(everything, [copied.text.upper() + "!"], seed=1) == [
            example for example in chosen if example is not copied
        ]

    def test_a_source_that_is_left_out_is_unseen_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """None of it is trained or calibrated on; the other unseen texts stay the same ones."""
        monkeypatch.setattr(corpus, "UNSEEN_PER_SOURCE", 20)
        everything = whole_corpus()
        parts = corpus.split(everything, [], seed=1, without="polistance")
        trained_on = [example for of_source in parts.training.values() for example in of_source]
        assert "polistance" not in {example.source for example in trained_on + parts.held_back}
        texts_of_others = [example.text for example in trained_on]
        chosen = corpus.sample_unseen(everything, texts_of_others, seed=1, without="polistance")
        assert chosen[:-20] == corpus.sample_unseen(everything, texts_of_others, seed=1)
        assert {example.source for example in chosen[-20:]} == {"polistance"}
        too_few = [example for example in everything if example.source != "polistance"]
        with pytest.raises(ValueError, match="polistance has 0 texts, and 20"):
            corpus.sample_unseen(too_few, [], seed=1, without="polistance")

    def test_texts_are_varied_as_people_type(self) -> None:
        """Some without diacritics, some with errors, most as they were."""
        text, dice = "Şikâyetimiz çözülmedi, üç gündür bekliyoruz", random.Random(1)
        varied = [corpus.vary(text, dice) for _ in range(2000)]
        share = sum(found == plain(found) for found in varied) / len(varied)
        assert share == pytest.approx(corpus.PLAIN_SHARE, abs=0.03)
        assert 0.7 < sum(found == text for found in varied) / len(varied) < 0.85


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Collections of a few texts, in the places and forms of the real ones."""
    monkeypatch.setattr(corpus, "DRAWN_PER_ROUND", {"polistance": 50})
    monkeypatch.setattr(corpus, "INVENTED_PER_ROUND", 10)
    monkeypatch.setattr(corpus, "TAUGHT_PER_ROUND", 2)
    monkeypatch.setattr(corpus, "UNSEEN_PER_SOURCE", 5)

    def write(name: str, rows: list[dict[str, object]]) -> None:
        file = tmp_path / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
        file.write_bytes(gzip.compress(lines) if file.suffix == ".gz" else lines)

    others = (*corpus.NEVER_DRAWN, "telecom-mentions")
    labelled = examples("polistance", 500) + [each for source in others for each in examples(source, 20)]
    write("sentiment/train.jsonl.gz", [{**asdict(each), "label": CLASSES[each.label].value} for each in labelled])
    write("sentiment/dev.jsonl", [{"text": "Sular ne zaman gelecek, bilen var mı?", "label": "neutral", "source": "polistance"}])
    write("topic/municipal_complaints.jsonl", [{"text": "Yol bozuk", "label": "roads", "source": "municipal-complaints"}])
    write("offence/train.jsonl", [{"text": "Sular NE ZAMAN gelecek bilen var mı!"}, {"text": "Parkın bu hali\u2028ne güzel"}])
    write("unlabelled/turkish_short_texts.jsonl.gz", [{"text": "Vapurla karşıya geçtik"}])
    return tmp_path / "data"


class TestGatheredTexts:
    CHOICE = texts.Choice(seed=1, rounds=2, threads=1)

    def test_are_those_that_may_be_learnt_from(self, data: Path, tmp_path: Path) -> None:
        """Nothing that is measured on; what is nearest to the task comes first; a text with a line end of its own stays one."""
        found = texts.gather(data, tmp_path / "build", self.CHOICE)
        assert [len(drawn) for drawn in found.rounds] == [62, 62]
        judged = {each.text for drawn in found.rounds for each in drawn if each.source == teachers.SOURCE}
        assert {plain(text) for text in judged} == {"parkin bu hali ne guzel"}
        assert len(found.held_back) == corpus.HELD_BACK["polistance"]
        assert found.posts[-2:] == ["parkın bu hali ne güzel", "vapurla karşıya geçtik"]
        assert len(found.posts) == 102
        assert not {prepare_turkish(each.text) for each in found.held_back} & set(found.posts)

    def test_repeat_nothing_that_is_measured_on(self, data: Path, tmp_path: Path) -> None:
        """The check reads the files that the training reads, and finds what would have been put there."""
        build = tmp_path / "build"
        found = texts.gather(data, build, self.CHOICE)
        main = [str(data), str(build)]
        leak_check.main(main)
        told = json.loads((build / leak_check.FILE).read_text())
        assert told["shown"] == len({each.text for drawn in found.rounds for each in drawn})
        assert told["repeated"] == {"development": 0, "held back": 0, "unseen": 0}
        kinds = texts.measured(data, build)
        with (build / "rounds.jsonl").open("a") as lines:
            for text in ("sular ne zaman gelecek, bilen var mı acaba", kinds["held back"][0], kinds["unseen"][0]):
                lines.write(json.dumps({"text": text}) + "\n")
        with pytest.raises(
            SystemExit, match="1 repeat one of the development texts, 1 repeat one of the held back texts, 1 repeat"
        ):
            leak_check.main(main)
        assert json.loads((build / leak_check.FILE).read_text())["repeated"] == dict.fromkeys(kinds, 1)
        (build / "unseen.jsonl").unlink()
        with pytest.raises(SystemExit, match=r"unseen\.jsonl is missing: 'make model'"):
            leak_check.main(main)

    def test_of_spelling_is_learnt_from_no_copy_either(self, data: Path) -> None:
        """Of a development text, though no label is read there."""
        with gzip.open(data / "unlabelled" / "turkish_short_texts.jsonl.gz", "at") as lines:
            lines.write(json.dumps({"text": "Sular ne zaman gelecek, bilen var mı acaba?"}) + "\n")
        spelt = texts.spelt(data)
        assert "Vapurla karşıya geçtik" in spelt
        assert not any("gelecek" in text for text in spelt)

    def test_are_gathered_once(self, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """For the same collections and choice; who broke it off before its end begins anew."""
        build, mark = tmp_path / "build", tmp_path / "build" / "texts.of"
        found = texts.gather(data, build, self.CHOICE)
        monkeypatch.setattr(texts, "_make", lambda *_: pytest.fail("made anew"))
        assert texts.gather(data, build, self.CHOICE) == found
        for other in (replace(self.CHOICE, seed=2), replace(self.CHOICE, without="telecom-mentions")):
            of = mark.read_text()
            with pytest.raises(pytest.fail.Exception, match="made anew"):
                texts.gather(data, build, other)
            assert not mark.exists()
            with pytest.raises(pytest.fail.Exception, match="made anew"):
                texts.gather(data, build, self.CHOICE)
            mark.write_text(of)
        whole = (build / "rounds.jsonl").read_text()
        (build / "rounds.jsonl").write_text("".join(whole.splitlines(keepends=True)[:50]))
        with pytest.raises(pytest.fail.Exception, match="made anew"):
            texts.gather(data, build, self.CHOICE)
        (build / "rounds.jsonl").write_text(whole)
        mark.write_text(of)
        assert texts.gather(data, build, self.CHOICE) == found
        with (data / "offence" / "train.jsonl").open("a") as lines:
            lines.write(json.dumps({"text": "bir söz daha"}) + "\n")
        with pytest.raises(pytest.fail.Exception, match="made anew"):
            texts.gather(data, build, self.CHOICE)


class TestLeaks:
    MEASURED = "Üç gündür sular kesik, belediyeyi arıyoruz ama telefona çıkan yok, yazıklar olsun size"

    @pytest.mark.parametrize(
        ("text", "leak"),
        [
            (MEASURED, True),
            (MEASURED.upper() + " 😡 https://ornek.example", True),
            (plain(MEASURED.lower()), True),
            (MEASURED.replace("üç", "beş").replace("yazıklar olsun size", "yazık"), True),
            ("Sular kesik, belediyeyi arıyoruz", False),
            ("Bugün hava çok güzel, parkta yürüdük ve çay içtik", False),
            ("", False),
            ("👍", False),
        ],
    )
    def test_copies_and_near_copies(self, text: str, leak: bool) -> None:
        """Half of the runs of three words of both together make one; texts without letters are no copies of each other."""
        assert leaks(["bambaşka bir söz", text], [self.MEASURED, "kısa", "😡"]) == ([1] if leak else [])

    def test_no_pattern_repeats_a_case_of_the_suite(self) -> None:
        """What the model is held against is not what it was taught; of emoji alone there are too few to differ."""
        cases = [case.text for case in bundled_suite() if case.capability != "emoji_only"]
        taught = [text for text, _, _ in islice(phrases.generate(corpus.SEED), 5 * corpus.INVENTED_PER_ROUND)]
        assert [taught[place] for place in leaks(taught, cases)] == []


class TestPhrases:
    def test_there_are_many_and_all_can_be_filled(self) -> None:
        """One stream a seed, three labels, texts that survive their preparation."""
        stream = list(islice(phrases.generate(7), 3000))
        assert stream == list(islice(phrases.generate(7), 3000))
        assert {label for _, label, _ in stream} == {label.value for label in CLASSES}
        assert len({text for text, _, _ in stream}) > 2000
        assert not [text for text, _, _ in stream if "{" in text or not prepare_turkish(text)]


class TestDiacritics:
    def test_learns_from_texts_that_carry_them(self) -> None:
        """On a handful of words it is right everywhere, and texts without diacritics teach nothing."""
        words = ["şikayet", "çözüm", "ağaç", "gölge", "ışık", "su", "sokak", "iş", "üç", "on", "gün", "otobüs"]
        dice = random.Random(1)
        texts = [" ".join(dice.choices(words, k=8)) for _ in range(diacritics.HELD_BACK_TEXTS + 600)]
        table = diacritics.train([*texts, *map(plain, texts[:500])], seed=1)
        assert table.dtype == np.int8
        letters, whole_words = diacritics.accuracy(table, texts[:200])
        assert letters > 0.99
        assert whole_words > 0.98
