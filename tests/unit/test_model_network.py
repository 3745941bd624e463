"""The network and its trainings on a handful of texts: 4-bit pieces, the rule over pairs, hidden words, an interruption."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: run 'make test-model'")

from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: E402
from transformers import BertConfig, BertModel  # noqa: E402

from processors.sentiment.conversion.network_export import export_network  # noqa: E402
from processors.sentiment.training import loop  # noqa: E402
from processors.sentiment.training.corpus import Shown  # noqa: E402
from processors.sentiment.training.fit import FineTuning, fit  # noqa: E402
from processors.sentiment.training.four_bits import FourBitEmbedding  # noqa: E402
from processors.sentiment.training.masked import Hider, Masking, laden_pieces, learn_language  # noqa: E402
from processors.sentiment.training.network import Dropout, MeanPoolClassifier, drop  # noqa: E402
from processors.sentiment.training.pairs import Mix, PairRule, WideAndDeep, fit_mix, logits  # noqa: E402

WIDTH = 32
WORDS = ["<pad>", "<s>", "</s>", "<unk>", "su", "yok", "var", "güzel", "kötü", "park", "yol", "değil"]
NEGATIVE, NEUTRAL, POSITIVE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
TEXTS = [
    Shown("su yok", NEGATIVE, "a"),
    Shown("yol kötü", NEGATIVE, "a"),
    Shown("park güzel değil", NEGATIVE, "a"),
    Shown("park güzel", POSITIVE, "a"),
    Shown("yol kötü değil", POSITIVE, "a"),
    Shown("su var", NEUTRAL, "a"),
    Shown("yol var", NEUTRAL, "a"),
    Shown("park", (0.2, 0.5, 0.3), "taught"),
]
RECIPE = FineTuning(rounds=30, batch_texts=4, warm_up_steps=5)


@pytest.fixture
def tokenizer() -> Tokenizer:
    made = Tokenizer(models.WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made


def network(pieces: int = len(WORDS)) -> MeanPoolClassifier:
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=pieces, hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=32, attn_implementation="eager",
    )  # fmt: skip
    encoder = BertModel(config, add_pooling_layer=False)
    floats = encoder.embeddings.word_embeddings.weight.detach()
    encoder.set_input_embeddings(FourBitEmbedding(floats, np.full((pieces, 1), 0.005, dtype=np.float32)))
    return MeanPoolClassifier(encoder)


def ids(tokenizer: Tokenizer, *texts: str) -> list[list[int]]:
    return [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]


class TestDropout:
    def test_drops_its_share_everywhere(self) -> None:
        """In all bytes of the numbers that the dice are drawn as; what is kept makes up for what is not; at rest nothing is."""
        torch.manual_seed(1)
        dropout = Dropout()
        drop(dropout, 0.1)
        found = dropout(torch.ones(20_000, 8))
        assert (found == 0).float().mean(0).tolist() == pytest.approx([26 / 256] * 8, abs=0.01)
        assert found.max().item() == pytest.approx(256 / 230)
        assert torch.equal(dropout.eval()(found), found)
        assert dropout.train()(torch.ones(3, 5, 7)).shape == (3, 5, 7)


class TestFourBits:
    def test_is_trained_as_it_is_kept(self) -> None:
        """What training looks up, what the artefact keeps and what the export has are the same numbers; they learn."""
        embedding = FourBitEmbedding(torch.randn(6, 64), np.full((6, 2), 0.4, dtype=np.float32))
        wanted = torch.tensor([1, 4])
        before = embedding(wanted).detach().clone()
        optimizer = torch.optim.SparseAdam(embedding.parameters(), lr=0.3)
        for _ in range(3):
            embedding(wanted).sum().backward()
            optimizer.step()
        after = embedding(wanted).detach()
        assert (after < before).any()
        values, scales = embedding.blocks()
        assert set(np.unique(values)) <= set(range(-8, 8))
        assert np.allclose((values * scales.repeat(32, axis=1))[[1, 4]], after.numpy(), atol=1e-6)
        assert torch.equal(embedding.plain()(wanted), after)


class TestPairRule:
    def test_knows_turns_of_phrase(self, tokenizer: Tokenizer) -> None:
        """ "güzel değil" is no "güzel"; the torch form of the rule gives what the regression learnt."""
        labelled = [text for text in TEXTS if text.source == "a"] * 20
        rule = PairRule.fit(
            ids(tokenizer, *(text.text for text in labelled)), [text.shares.index(1) for text in labelled], len(WORDS)
        )
        found = logits(rule, ids(tokenizer, "park güzel", "park güzel değil", "yol kötü", "yol kötü değil")).argmax(axis=1)
        assert found.tolist() == [2, 0, 0, 2]

    def test_padding_says_nothing(self, tokenizer: Tokenizer) -> None:
        """A short text beside a long one has the same logits as alone."""
        rule = PairRule.fit(ids(tokenizer, "su yok", "su var", "park güzel"), [0, 1, 2], len(WORDS))
        (short,) = ids(tokenizer, "su yok")
        padded, mask = torch.tensor([[*short, 0, 0]]), torch.tensor([[1, 1, 0, 0]])
        assert torch.allclose(rule(padded, mask), rule(torch.tensor([short]), torch.ones(1, 2)))

    def test_mixture_leans_on_what_is_right(self) -> None:
        """Noise gets no share, and a label that occurs more often than both say gets a bias."""
        dice = np.random.default_rng(1)
        labels = dice.choice(3, 2000, p=[0.6, 0.2, 0.2])
        knows = np.eye(3)[labels] + dice.normal(0, 0.7, (2000, 3))
        mix = fit_mix(knows, dice.normal(0, 1, (2000, 3)), labels.tolist())
        assert mix.deep > 1
        assert abs(mix.pairs) < 0.2
        assert mix.bias[0] > mix.bias[1] + 0.3

    def test_exported_it_says_the_same(self, tokenizer: Tokenizer, tmp_path: Path) -> None:
        """With texts of other lengths and numbers than it was traced with, and to the last digit alone and beside others."""
        rule = PairRule.fit(ids(tokenizer, "su yok", "su var", "park güzel"), [0, 1, 2], len(WORDS))
        deep = network()
        deep.encoder.set_input_embeddings(deep.encoder.get_input_embeddings().plain())
        mixed = WideAndDeep(deep, rule, Mix(0.8, 0.4, (0.1, 0.0, 0.0))).eval()
        export_network(mixed, tmp_path / "model.onnx")
        session = ort.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
        texts = np.array(ids(tokenizer, "park güzel değil", "yol kötü değil", "su su yok"), dtype=np.int64)

        def run(rows: np.ndarray) -> np.ndarray:
            return session.run(["logits"], {"input_ids": rows, "attention_mask": np.ones_like(rows)})[0]

        assert np.allclose(run(texts), logits(mixed, texts.tolist()), atol=1e-5)
        assert np.array_equal(run(texts), np.concatenate([run(texts[place : place + 1]) for place in range(3)]))


class TestFit:
    def test_an_interrupted_training_goes_on(self, tokenizer: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """To the same weights as one that nothing interrupted; once finished it is not repeated."""
        monkeypatch.setattr(loop, "_SAVE_EVERY_STEPS", 10)
        whole = network()
        fitted = fit(whole, tokenizer, [TEXTS] * RECIPE.rounds, RECIPE, tmp_path / "whole.pt")
        assert (fitted.steps, fitted.planned) == (60, 60)

        class Interrupted(Exception):
            pass

        def cut(step: int, real: object = loop._step) -> object:
            left = iter(range(step))

            def one(*given: object) -> object:
                if next(left, None) is None:
                    raise Interrupted
                return real(*given)  # type: ignore[operator]

            return one

        with monkeypatch.context() as patched:
            patched.setattr(loop, "_step", cut(37))
            with pytest.raises(Interrupted):
                fit(network(), tokenizer, [TEXTS] * RECIPE.rounds, RECIPE, tmp_path / "part.pt")
        resumed = network()
        fit(resumed, tokenizer, [TEXTS] * RECIPE.rounds, RECIPE, tmp_path / "part.pt")
        assert all(torch.equal(one, other) for one, other in zip(whole.parameters(), resumed.parameters(), strict=True))
        again = network()
        assert fit(again, tokenizer, [TEXTS] * RECIPE.rounds, RECIPE, tmp_path / "part.pt").steps == 60
        assert fitted.last_loss < fitted.first_loss
        assert all(torch.equal(one, other) for one, other in zip(whole.parameters(), again.parameters(), strict=True))

    def test_another_recipe_is_refused(self, tokenizer: Tokenizer, tmp_path: Path) -> None:
        """Its steps would be those of another training."""
        fit(network(), tokenizer, [TEXTS], RECIPE, tmp_path / "checkpoint.pt")
        with pytest.raises(SystemExit, match="of a training by another recipe"):
            fit(network(), tokenizer, [TEXTS], FineTuning(seed=2, batch_texts=4), tmp_path / "checkpoint.pt")

    def test_other_texts_are_refused(self, tokenizer: Tokenizer, tmp_path: Path) -> None:
        """A training without one of the sources is another one, and so is one that wants other labels."""
        fit(network(), tokenizer, [TEXTS], RECIPE, tmp_path / "checkpoint.pt")
        for others in (TEXTS[1:], [replace(TEXTS[0], shares=NEUTRAL), *TEXTS[1:]]):
            with pytest.raises(SystemExit, match="or on other texts"):
                fit(network(), tokenizer, [others], RECIPE, tmp_path / "checkpoint.pt")

    def test_what_went_before_is_part_of_the_recipe(self, tokenizer: Tokenizer, tmp_path: Path) -> None:
        """A fine-tuning is not gone on with after another masked-language training than the one that it began with."""
        fit(network(), tokenizer, [TEXTS], RECIPE, tmp_path / "checkpoint.pt", after=(Masking(),))
        with pytest.raises(SystemExit, match="of a training by another recipe"):
            fit(network(), tokenizer, [TEXTS], RECIPE, tmp_path / "checkpoint.pt", after=(Masking(rounds=2),))

    def test_a_broken_checkpoint_is_named(self, tokenizer: Tokenizer, tmp_path: Path) -> None:
        """With what to do, in place of a traceback."""
        fit(network(), tokenizer, [TEXTS], RECIPE, tmp_path / "checkpoint.pt")
        whole = (tmp_path / "checkpoint.pt").read_bytes()
        for broken in (whole[: len(whole) // 2], b""):
            (tmp_path / "checkpoint.pt").write_bytes(broken)
            with pytest.raises(SystemExit, match=r"checkpoint.pt cannot be read .* remove it to begin anew"):
                fit(network(), tokenizer, [TEXTS], RECIPE, tmp_path / "checkpoint.pt")

    def test_nothing_to_learn_from_is_said(self, tokenizer: Tokenizer, tmp_path: Path) -> None:
        """Rather than an untrained network that looks like a trained one."""
        with pytest.raises(SystemExit, match="no step was made"):
            fit(network(), tokenizer, [], RECIPE, tmp_path / "checkpoint.pt")


SPELT = ["<s>", "<pad>", "</s>", "<unk>", "▁su", "▁yok", "▁var", "▁güzel", "▁kötü", "▁park", "▁yol", "lar", "<mask>"]


@pytest.fixture
def spelling() -> Tokenizer:
    """One that tells where a word begins, as the bundled one does."""
    made = Tokenizer(models.WordLevel({piece: place for place, piece in enumerate(SPELT)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return made


class TestMasking:
    def test_hides_whole_words(self, spelling: Tokenizer) -> None:
        """All pieces of a word or none, laden ones more often, and never what only frames or fills a text."""
        torch.manual_seed(1)
        laden = torch.tensor([piece == "▁kötü" for piece in SPELT])
        hider = Hider.of(spelling, laden, Masking())
        row = [0, *map(SPELT.index, ("▁park", "lar", "lar", "▁kötü", "▁yol", "lar")), 2, 1, 1]
        ids = torch.tensor([row] * 4_000)
        shown, hidden = hider.hide(ids)
        assert not hidden[:, [0, 7, 8, 9]].any()
        assert torch.equal(hidden[:, 1], hidden[:, 2])
        assert torch.equal(hidden[:, 2], hidden[:, 3])
        assert torch.equal(hidden[:, 5], hidden[:, 6])
        shares = hidden.float().mean(0)
        assert shares[1] == pytest.approx(0.15, abs=0.03)
        assert shares[4] == pytest.approx(0.40, abs=0.03)
        assert torch.equal(shown[~hidden], ids[~hidden])
        assert (shown[hidden] == SPELT.index("<mask>")).float().mean() == pytest.approx(0.8, abs=0.03)
        assert (shown[hidden] == ids[hidden]).float().mean() == pytest.approx(0.1, abs=0.03)

    def test_a_subject_is_not_laden(self, spelling: Tokenizer) -> None:
        """A word of a source that has nothing but complaints leans to no label by itself; nor does one seen a few times."""
        praised = [Shown("park güzel", POSITIVE, "a"), Shown("park kötü", NEGATIVE, "a"), Shown("park var", NEUTRAL, "a")] * 40
        complaints = [Shown("yol", NEGATIVE, "b")] * 200
        rare = [Shown("su", POSITIVE, "a")]
        labelled = praised + complaints + rare
        spelt = [" ".join(f"▁{word}" for word in found.text.split()) for found in labelled]
        laden = laden_pieces(ids(spelling, *spelt), labelled, len(SPELT))
        assert [piece for piece, found in zip(SPELT, laden.tolist(), strict=True) if found] == ["▁var", "▁güzel", "▁kötü"]

    def test_learns_which_words_go_together(self, spelling: Tokenizer, tmp_path: Path) -> None:
        """The guesses become better than those by frequency alone, and the encoder is another one afterwards."""
        recipe = Masking(rounds=40, batch_texts=4, warm_up_steps=5, encoder_rate=3e-3, head_rate=1e-2)
        posts = ["▁su ▁yok ▁su ▁yok", "▁park ▁güzel ▁park ▁güzel", "▁yol ▁kötü ▁yol ▁kötü", "▁su ▁yok"] * 3
        encoder = network(len(SPELT)).encoder
        before = encoder.get_input_embeddings().weight.detach().clone()
        nothing = torch.zeros(len(SPELT), dtype=torch.bool)
        read = learn_language(encoder, spelling, posts, nothing, recipe, tmp_path / "masked.pt")
        assert read.steps == read.planned == 120  # the post of two words is too short to be read
        assert read.last_loss < 0.6 * read.first_loss
        assert not torch.equal(encoder.get_input_embeddings().weight, before)
