"""`nabiz model import`: what is accepted, what a refusal says, and that the converted model is the original.

The original models are made on the spot, small and of random weights: what they say means nothing, so any two that agree
on a hundred texts agree because the conversion is right.
"""

import json
import random
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import pipeline.cli.model_import
from pipeline.cli.main import main
from pipeline.cli.model_import import import_model
from pipeline.model_download import download, is_hub_name, wanted_files
from processors.sentiment import Classifier
from processors.sentiment.artefact import FILES
from processors.sentiment.classifier import HEAD
from processors.sentiment.conversion import calibration
from processors.sentiment.importing import ImportOrder, ImportRefused, ImportResult, convert
from processors.sentiment.importing import conversion as conversion_module
from processors.sentiment.importing.conversion import FEWEST_TEXTS, RECORD_FILE, model_name
from processors.sentiment.importing.labels import known_label, map_columns, read_assignments
from processors.sentiment.importing.original import require_extra
from processors.sentiment.importing.samples import SAMPLES
from processors.sentiment.importing.source import read_source
from processors.sentiment.importing.target import require_free, workplace
from processors.sentiment.prepare import prepare_plain
from processors.sentiment.shares import as_shares
from processors.sentiment.text_model import TextModel
from schemas.labels import Label

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None or find_spec("onnx") is None, reason="torch and onnx are not installed: run 'make test-model'"
)
NEGATIVE, NEUTRAL, POSITIVE = Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE
TURKISH = ("Olumsuz", "Nötr", "Olumlu")
STARS = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")
CONFIG = {"architectures": ["BertForSequenceClassification"], "model_type": "bert", "id2label": {"0": "neg", "1": "pos"}}


def refusal(*arguments: Any, **options: Any) -> str:
    """The message with which a function refuses."""
    function, *rest = arguments
    with pytest.raises(ImportRefused) as caught:
        function(*rest, **options)
    return str(caught.value)


def quiet(_: str) -> None:
    """Where nobody wants to hear what goes on."""


# -- which label is which -------------------------------------------------------------------------------------------------


class TestLabels:
    @pytest.mark.parametrize(
        ("names", "label"),
        [
            (("negative", "NEG", "Negatif", "olumsuz", "OLUMSUZ", "çok olumsuz", "1 star", "2_Stars", "Kötü", "very-negative"), NEGATIVE),
            (("neutral", "Notr", "NÖTR", "nötr", "tarafsız", "TARAFSIZ", "3 stars"), NEUTRAL),
            (("positive", "Pos", "pozitif", "POZİTİF", "olumlu", "OLUMLU", "5 stars", "4 yıldız", "iyi", "İYİ"), POSITIVE),
            (("LABEL_0", "0", "1", "2", "-1", "anger", "spam", "", "olumsuz değil", "positive negative"), None),
        ],
    )  # fmt: skip
    def test_well_known_names(self, names: tuple[str, ...], label: Label | None) -> None:
        """In English and Turkish, whatever the case, accents and separators; numbers say nothing."""
        assert {name: known_label(name) for name in names} == dict.fromkeys(names, label)

    def test_columns_of_one_label(self) -> None:
        """A five-star model has two columns for each end."""
        assert map_columns(STARS, {}) == (NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, POSITIVE)

    def test_a_label_may_be_missing(self) -> None:
        """A binary model."""
        assert map_columns(("neg", "pos"), {}) == (NEGATIVE, POSITIVE)

    @pytest.mark.parametrize(
        ("options", "labels"),
        [
            (["LABEL_0=positive", "LABEL_1=negative"], (POSITIVE, NEGATIVE)),
            (["label_0=olumlu", "1=NEG"], (POSITIVE, NEGATIVE)),
            (["0=neutral", "LABEL_1 = positive"], (NEUTRAL, POSITIVE)),
        ],
    )
    def test_assigned(self, options: list[str], labels: tuple[Label, ...]) -> None:
        """By the model's name or by the number of the column."""
        assert map_columns(("LABEL_0", "LABEL_1"), read_assignments(options)) == labels

    def test_assigned_wins(self) -> None:
        """Over what the name seems to say."""
        assert map_columns(("neg", "pos", "neutral"), read_assignments(["neutral=negative"])) == (NEGATIVE, POSITIVE, NEGATIVE)

    def test_a_name_that_is_a_number_is_a_name(self) -> None:
        """Before it is a place."""
        assert map_columns(("1", "0"), read_assignments(["0=positive", "1=negative"])) == (NEGATIVE, POSITIVE)

    def test_unknown_names_are_shown_with_an_example(self) -> None:
        """Which can be copied, and is not taken for granted."""
        message = refusal(map_columns, ("LABEL_0", "LABEL_1", "very good\x1b[2J", "pos"), {})
        assert "what these labels of the model mean: LABEL_0, LABEL_1, very good\N{REPLACEMENT CHARACTER}[2J" in message
        assert "(all its labels: LABEL_0, LABEL_1, very good\N{REPLACEMENT CHARACTER}[2J, pos)" in message
        assert "for example:\n  --label LABEL_0=negative --label LABEL_1=neutral --label 'very good" in message
        assert "\x1b" not in message

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (["LABEL_2"], "--label LABEL_2: write NAME=LABEL, for example LABEL_2=positive; the labels are negative, neutral"),
            (["LABEL_2=good one"], "write NAME=LABEL"),
            (["=positive"], "write NAME=LABEL"),
            (["a=positive", "a=negative"], "--label gives a twice, as positive and as negative"),
        ],
    )
    def test_an_assignment_that_cannot_be_read(self, options: list[str], expected: str) -> None:
        """Says how it is written."""
        assert expected in refusal(read_assignments, options)

    @pytest.mark.parametrize(
        ("names", "options", "expected"),
        [
            (("neg", "pos"), ["neutral=neutral"], "the model has no such label; its labels are neg, pos"),
            (("neg", "pos"), ["2=neutral"], "the model has no such label"),
            (("A b", "a-b"), ["a_b=neutral"], "more than one column is called that"),
            (("neg", "pos"), ["pos=negative"], "every label of the model (neg, pos) would be negative"),
        ],
    )
    def test_an_assignment_that_does_not_fit(self, names: tuple[str, ...], options: list[str], expected: str) -> None:
        """Says what the model has."""
        assert expected in refusal(map_columns, names, read_assignments(options))


# -- what is accepted -----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a model's."""
    place = tmp_path / "original"
    place.mkdir()
    (place / "model.safetensors").write_bytes(b"weights")
    (place / "tokenizer.json").write_text("{}", encoding="utf-8")
    write_config(place)
    return place


def write_config(folder: Path, **changes: Any) -> None:
    config = {name: value for name, value in (CONFIG | changes).items() if value is not None}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


class TestSource:
    def test_names_in_the_order_of_the_columns(self, folder: Path) -> None:
        """Whatever the order of the file."""
        write_config(folder, id2label={"2": "c", "10": "k", **{str(number): "x" for number in range(3, 10)}, "0": "a", "1": "b"})
        assert read_source(folder).names == ("a", "b", "c", *"xxxxxxx", "k")

    @pytest.mark.parametrize(("claimed", "names"), [(None, ("LABEL_0", "LABEL_1")), (3, ("LABEL_0", "LABEL_1", "LABEL_2"))])
    def test_names_that_are_not_given(self, folder: Path, claimed: int | None, names: tuple[str, ...]) -> None:
        """As the library calls them."""
        write_config(folder, id2label=None, num_labels=claimed)
        assert read_source(folder).names == names

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"architectures": ["BertForMaskedLM"]}, "is a BertForMaskedLM, needed is a sequence-classification model"),
            ({"architectures": None}, "does not say in config.json (architectures) what it is"),
            ({"architectures": "BertForSequenceClassification"}, "does not say in config.json"),
            ({"auto_map": {"AutoModel": "code.Net"}, "model_type": "own"}, "foreign code is not run"),
            ({"problem_type": "multi_label_classification"}, "may give a text several labels at once"),
            ({"problem_type": "regression"}, "gives a number"),
            ({"id2label": {"0": "score"}}, "one output column, a number and no choice between labels"),
            ({"id2label": {"1": "a", "2": "b"}}, "does not number the labels from 0 on"),
            ({"id2label": ["a", "b"]}, "does not number the labels from 0 on"),
            ({"num_labels": 3}, "names 2 labels, but says num_labels 3"),
        ],
    )
    def test_refused_configuration(self, folder: Path, changes: Mapping[str, Any], expected: str) -> None:
        """With the folder, the reason, and what would do."""
        write_config(folder, **changes)
        message = refusal(read_source, folder)
        assert str(folder) in message
        assert expected in message

    def test_code_of_a_known_architecture_is_not_needed(self, folder: Path) -> None:
        """The library has its own."""
        write_config(folder, auto_map={"AutoModelForSequenceClassification": "code.Net"})
        assert read_source(folder).names == ("neg", "pos")

    @pytest.mark.parametrize("content", ["{", "[]", "3"])
    def test_broken_configuration(self, folder: Path, content: str) -> None:
        """No traceback."""
        (folder / "config.json").write_text(content, encoding="utf-8")
        assert "give the folder that save_pretrained() wrote" in refusal(read_source, folder)

    def test_folder_that_is_none(self, tmp_path: Path) -> None:
        """And how a model on the hub would be called."""
        assert "nowhere: give the folder that save_pretrained() wrote" in refusal(read_source, tmp_path / "nowhere")
        assert "OWNER/NAME" in refusal(read_source, tmp_path / "nowhere")

    def test_folder_of_ours(self, folder: Path) -> None:
        """Needs no import."""
        (folder / "nabiz.json").write_text("{}", encoding="utf-8")
        assert "is a model folder already: name it in the configuration" in refusal(read_source, folder)

    def test_missing_parts(self, folder: Path) -> None:
        """No tokenizer; weights of another framework are none; a clone without its large files is told apart; an adapter is no model."""
        (folder / "tokenizer.json").rename(folder / "tokenizer.txt")
        assert "no tokenizer in" in refusal(read_source, folder)
        (folder / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
        assert "model.safetensors in" in refusal(read_source, folder)
        assert "git lfs pull" in refusal(read_source, folder)
        (folder / "model.safetensors").rename(folder / "tf_model.h5")
        assert "no weights in" in refusal(read_source, folder)
        (folder / "adapter_config.json").write_text("{}", encoding="utf-8")
        assert "merge it into its base model first" in refusal(read_source, folder)
        (folder / "adapter_config.json").unlink()
        (folder / "config.json").unlink()
        assert "no config.json in" in refusal(read_source, folder)


class TestTarget:
    def test_there_already(self, tmp_path: Path) -> None:
        """A model folder is replaced when that is asked for; nothing else ever is."""
        target = tmp_path / "model"
        require_free(target, None, force=False)
        target.mkdir()
        assert "choose another folder with --out, or replace it with --force" in refusal(require_free, target, None, force=False)
        assert "is no model folder (no nabiz.json in it), so --force" in refusal(require_free, target, None, force=True)
        (target / "nabiz.json").touch()
        require_free(target, None, force=True)
        assert "holds the model that is to be imported" in refusal(require_free, target, target / "original", force=True)

    def test_whole_or_not_at_all(self, tmp_path: Path) -> None:
        """Neither an error nor Ctrl-C leaves anything, nor takes away what was there."""
        target = tmp_path / "models" / "new"
        for broken in (ValueError, KeyboardInterrupt):
            with pytest.raises(broken), workplace(target, force=False) as place:
                (place.model / "model.onnx").touch()
                raise broken
            assert list(target.parent.iterdir()) == []
        for content in ("first", "second"):
            with workplace(target, force=content == "second") as place:
                (place.scratch / "large").touch()
                (place.model / "nabiz.json").write_text(content, encoding="utf-8")
            assert [path.name for path in target.parent.iterdir()] == ["new"]
            assert (target / "nabiz.json").read_text(encoding="utf-8") == content
        with pytest.raises(KeyboardInterrupt), workplace(target, force=True):
            raise KeyboardInterrupt
        assert [path.name for path in target.iterdir()] == ["nabiz.json"]

    def test_two_at_once(self, tmp_path: Path) -> None:
        """Without --force the second does not replace what the first made meanwhile."""
        target = tmp_path / "new"
        with pytest.raises(ImportRefused, match="is there already"), workplace(target, force=False):
            target.mkdir()
            (target / "nabiz.json").write_text("first", encoding="utf-8")
        assert (target / "nabiz.json").read_text(encoding="utf-8") == "first"
        assert list(tmp_path.iterdir()) == [target]

    def test_links_that_lead_nowhere(self, tmp_path: Path) -> None:
        """Neither as target nor as source a traceback, and not after minutes of work."""
        loop, lost = tmp_path / "loop", tmp_path / "lost"
        loop.symlink_to(loop)
        lost.symlink_to(tmp_path / "nothing")
        for link in (loop, lost):
            assert "is a link that leads nowhere" in refusal(require_free, link, tmp_path, force=True)
            require_free(tmp_path / "new", link, force=False)
            assert "no folder at" in refusal(read_source, link)

    @pytest.mark.parametrize(
        ("origin", "name"),
        [("savas/bert-türkçe.v2", "bert-t-rk-e.v2"), ("/srv/modeller/bert/", "bert"), ("çç", "model"), ("a" * 90, "a" * 64)],
    )
    def test_default_name(self, tmp_path: Path, origin: str, name: str) -> None:
        """The last part, in letters that may stand in a version."""
        assert model_name(ImportOrder(source=tmp_path, origin=origin, out=tmp_path)) == name

    def test_senseless_name(self, tmp_path: Path) -> None:
        """A name stands in every label."""
        order = ImportOrder(source=tmp_path, origin="a", out=tmp_path, name="iki kelime")
        assert "--name 'iki kelime': at most 64 letters" in refusal(model_name, order)


class TestCalibration:
    """The functions; what the command makes of them is below."""

    def test_temperature(self) -> None:
        """Logits that are twice too large are divided by two, also where two columns mean one label."""
        rng = np.random.default_rng(1)
        logits = rng.normal(0, 2, (4_000, 5))
        of_column = (0, 0, 1, 2, 2)
        shares = as_shares(logits, of_column)
        labels = [int(rng.choice(3, p=row)) for row in shares]
        assert calibration.temperature(logits * 2, labels, of_column) == pytest.approx(2, rel=0.1)
        assert shares.sum(axis=1) == pytest.approx(1)

    def test_weight(self) -> None:
        """The least with which enough of a label is found, the unsure ones not counted; never more than there is."""
        shares = np.array([[0.5, 0.4, 0.1]] * 80 + [[0.4, 0.5, 0.1]] * 15 + [[0.1, 0.8, 0.1]] * 5 + [[0.1, 0.1, 0.8]] * 50)
        labels = [0] * 100 + [2] * 50
        assert calibration.weight_and_threshold(shares, labels, ["a"] * 150, 0) == (1.25, pytest.approx(0.4))
        assert calibration.weight_and_threshold(shares[:80], labels[:80], ["a"] * 80, 0) == (1.0, pytest.approx(0.5))
        weight, _ = calibration.weight_and_threshold(np.array([[0.1, 0.8, 0.1]] * 9), [0] * 9, ["a"] * 9, 0)
        assert weight == calibration.WEIGHTS[-1]

    def test_threshold_of_what_is_decided(self) -> None:
        """By the weighted label, with its own probability."""
        shares = np.array([[0.4, 0.5, 0.1]] * 100)
        assert calibration.threshold(shares, ["a"] * 100) == pytest.approx(0.5)
        assert calibration.threshold(shares, ["a"] * 100, (1.5, 1.0, 1.0)) == pytest.approx(0.4)

    def test_threshold(self) -> None:
        """Of the hardest source the share that is meant to stays unsure, of the others fewer."""
        shares = np.array([[0.4 + place / 1000, 0.6 - place / 1000] for place in range(100)] + [[1.0, 0.0]] * 100)
        threshold = calibration.threshold(shares, ["hard"] * 100 + ["easy"] * 100)
        assert (shares[:100].max(axis=1) < threshold).mean() == pytest.approx(calibration.UNSURE_SHARE, abs=0.01)
        assert threshold < 1

    def test_a_label_that_a_model_holds_for_impossible(self) -> None:
        """Leaves the loss finite."""
        assert np.isfinite(calibration.temperature(np.array([[900.0, 0.0]]), [1]))


# -- the network ----------------------------------------------------------------------------------------------------------

REVISION = "c0ffee" + "0" * 34


class Hub:
    """Speaks as much of the hub's protocol as its client asks."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.asked.append(f"{self.command} {self.path}")
                status, headers, body = hub.answer(self.path)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815 - the library's name

            def log_message(self, *_: Any) -> None:
                """Tests are quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("/api/models/kurum/model"):
            siblings = [{"rfilename": name, "size": len(content)} for name, content in self.files.items()]
            return 200, {}, json.dumps({"id": "kurum/model", "sha": REVISION, "siblings": siblings}).encode()
        name = path.rpartition(f"/resolve/{REVISION}/")[2]
        if name in self.files:
            return 200, {"ETag": f'"{name}"', "X-Repo-Commit": REVISION}, self.files[name]
        return 404, {"X-Error-Code": "RepoNotFound"}, b""

    def fetched(self) -> list[str]:
        return sorted(line.rpartition("/")[2] for line in self.asked if line.startswith("GET") and "/resolve/" in line)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    names = (
        "model.safetensors",
        "pytorch_model.bin",
        "tokenizer.json",
        "vocab.txt",
        "modeling.py",
        "README.md",
        "onnx/model.onnx",
    )
    served = Hub({"config.json": json.dumps(CONFIG).encode(), **{name: name.encode() for name in names}})
    yield served
    served.server.shutdown()
    served.server.server_close()


class TestDownload:
    def test_only_what_is_read(self, hub: Hub, tmp_path: Path) -> None:
        """No code, no second weights; said before it is done, with the size."""
        said: list[str] = []
        found = download("kurum/model", lambda _: None, said.append, endpoint=hub.address, cache=tmp_path)
        wanted = ["config.json", "model.safetensors", "tokenizer.json", "vocab.txt"]
        assert sorted(path.name for path in found.folder.iterdir()) == hub.fetched() == wanted
        assert found.revision == REVISION
        assert said[0].startswith(f"there is no folder kurum/model here: asking {hub.address}")
        assert said[1].startswith(f"fetching 4 files, 0 MB, of kurum/model at {REVISION[:12]} into {tmp_path}")

    def test_refused_before_the_weights(self, hub: Hub, tmp_path: Path) -> None:
        """By what config.json says."""

        def accept(config: bytes) -> None:
            assert json.loads(config) == CONFIG
            raise ImportRefused("no")

        assert refusal(download, "kurum/model", accept, quiet, endpoint=hub.address, cache=tmp_path) == "no"
        assert hub.fetched() == ["config.json"]

    def test_without_configuration(self, hub: Hub, tmp_path: Path) -> None:
        """It is no model."""
        del hub.files["config.json"]
        assert "has no config.json" in refusal(download, "kurum/model", quiet, quiet, endpoint=hub.address, cache=tmp_path)

    def test_unknown(self, hub: Hub, tmp_path: Path) -> None:
        """Perhaps a folder was meant."""
        message = refusal(download, "kurum/yok", quiet, quiet, endpoint=hub.address, cache=tmp_path)
        assert message.startswith("there is no folder kurum/yok here, and no public model of that name")

    def test_no_network(self, hub: Hub, tmp_path: Path) -> None:
        """How to go on without."""
        hub.server.shutdown()
        hub.server.server_close()
        message = refusal(download, "kurum/model", quiet, quiet, endpoint=hub.address, cache=tmp_path)
        assert message.startswith(f"{hub.address} cannot be reached")
        assert "hf download kurum/model --local-dir FOLDER" in message
        assert "nabiz model import FOLDER" in message

    def test_forbidden_network(self, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Is not asked."""
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        message = refusal(download, "kurum/model", quiet, quiet, endpoint=hub.address, cache=tmp_path)
        assert message.startswith("HF_HUB_OFFLINE forbids to ask the network: unset it, or download the repository on a machine")
        assert hub.asked == []

    def test_old_weights(self) -> None:
        """Where there are no others; in pieces, too."""
        names = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin", "pytorch_model.bin.index.json"]
        assert wanted_files(["config.json", "spiece.model", "tf_model.h5", *names]) == ["config.json", "spiece.model", *names]

    def test_what_is_a_name_on_the_hub(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Never what may be a folder: nobody shall ask the network by a slip."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "models" / "bert").mkdir(parents=True)
        assert is_hub_name("owner/name-v1.2")
        for name in ("models/bert", "./models/x", "../x", "/srv/x", "~/x", "a/b/c", "bert", "a\\b", ""):
            assert not is_hub_name(name), name


# -- the command, without torch -------------------------------------------------------------------------------------------


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["model", "import", *arguments])


class TestMessages:
    def test_missing_extra(self) -> None:
        """Where to get it, and that the result can be copied."""
        message = refusal(require_extra, ("json", "no_such_package"))
        assert message.startswith("importing a model needs no_such_package, which running one does not")
        assert "make setup-training\n  .venv-training/bin/nabiz model import" in message
        assert "\nsetup-training:" in (Path(__file__).parents[2] / "Makefile").read_text(encoding="utf-8")
        require_extra(("json",))

    def test_one_message_and_exit_code_2(self, folder: Path, tmp_path: Path) -> None:
        """On standard error; with --json as JSON, too."""
        (tmp_path / "there").mkdir()
        arguments = (str(folder), "--out", str(tmp_path / "there"))
        plain = run(*arguments)
        assert (plain.exit_code, plain.stdout) == (2, "")
        assert plain.stderr.startswith(f"nabiz: {tmp_path / 'there'} is there already")
        assert json.loads(run(*arguments, "--json").stdout)["error"].startswith(f"{tmp_path / 'there'} is there already")

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (["--label", "x"], "--label x: write NAME=LABEL"),
            (["--name", "a b"], "--name 'a b'"),
            (["--preparation", "none"], "'none' is not one of 'plain', 'turkish'"),
            (["--max-tokens", "1"], "1 is not in the range x>=8"),
        ],
    )
    def test_options(self, folder: Path, tmp_path: Path, arguments: list[str], expected: str) -> None:
        """A mistake is told before anything is loaded."""
        result = run(str(folder), "--out", str(tmp_path / "new"), *arguments)
        assert result.exit_code == 2
        assert expected in result.stderr

    @pytest.mark.parametrize(("number", "expected"), [(28, "disk is full"), (13, "no permission"), (20, "a file where a folder")])
    def test_the_disk(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int, expected: str) -> None:
        """What the system says of the target comes with the option that names it."""

        def broken(*_: Any) -> None:
            raise OSError(number, "whatever")

        monkeypatch.setattr(pipeline.cli.model_import, "convert", broken)
        result = run("./somewhere", "--out", str(tmp_path / "new"))
        assert result.exit_code == 2
        assert expected in result.stderr
        assert "choose another folder with --out" in result.stderr

    def test_a_name_on_the_hub_without_the_extra(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Fetches nothing."""
        monkeypatch.setattr("processors.sentiment.importing.original.find_spec", lambda _: None)
        monkeypatch.setattr(pipeline.cli.model_import, "download", None)
        result = run("kurum/model", "--out", str(tmp_path / "new"))
        assert result.exit_code == 2
        assert result.stderr.startswith("nabiz: importing a model needs torch and onnx")

    def test_help_has_examples(self) -> None:
        """As each command's."""
        result = CliRunner().invoke(import_model, ["--help"])
        assert "nabiz model import downloads/stars --out models/stars --calibrate labelled.jsonl" in result.output


# -- the conversion -------------------------------------------------------------------------------------------------------


def small_tokenizer(**changes: Any) -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(SAMPLES, trainers.BpeTrainer(vocab_size=300, special_tokens=special, show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "model_max_length": 120}
    named = {name: value for name, value in (names | changes).items() if value is not None}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named)


def small_network(kind: str, labels: tuple[str, ...], **changes: Any) -> Any:
    """With weights so large that words matter, and a last layer under which each label is the likeliest of some text."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    sizes = {
        "vocab_size": 300, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128,
        "max_position_embeddings": 128, "pad_token_id": 0,
    }  # fmt: skip
    numbered = {"id2label": dict(enumerate(labels)), "label2id": {name: number for number, name in enumerate(labels)}}
    config = AutoConfig.for_model(kind, **{**sizes, **numbered, **changes})
    torch.set_num_threads(1)
    torch.manual_seed(7)
    network = AutoModelForSequenceClassification.from_config(config).eval()
    *_, last = (layer for layer in network.modules() if isinstance(layer, torch.nn.Linear))
    tokenizer = small_tokenizer()
    with torch.no_grad():
        for weight in network.parameters():
            if weight.dim() > 1:
                weight.mul_(8)
        logits = torch.cat(
            [network(**tokenizer(text, return_tensors="pt", truncation=True, max_length=96)).logits for text in SAMPLES]
        )
        last.weight.div_(logits.std(0).unsqueeze(1))
        last.bias.copy_((last.bias - logits.mean(0)) / logits.std(0))
    return network


def save_original(folder: Path, kind: str = "bert", labels: tuple[str, ...] = TURKISH, **changes: Any) -> Path:
    small_network(kind, labels, **changes).save_pretrained(folder)
    small_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BERT with Turkish names of labels."""
    return save_original(tmp_path_factory.mktemp("bert"))


def converted(original: Path, out: Path, **options: Any) -> ImportResult:
    return convert(ImportOrder(source=original, origin="small", out=out, **options), quiet)


def shares_of_original(folder: Path, texts: list[str]) -> np.ndarray:
    """What torch says, text by text, without any code of ours."""
    import torch
    from transformers import AutoModelForSequenceClassification, PreTrainedTokenizerFast

    network = AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    rows = []
    with torch.no_grad():
        for text in texts:
            encoded = tokenizer(prepare_plain(text), return_tensors="pt", truncation=True, max_length=96)
            rows.append(network(**encoded).logits[0].softmax(-1).numpy())
    return np.array(rows)


@needs_torch
class TestConversion:
    @pytest.mark.parametrize("kind", ["bert", "roberta", "albert", "modernbert"])
    @pytest.mark.parametrize("quantise", [False, True])
    def test_agrees_with_torch(self, tmp_path: Path, kind: str, quantise: bool) -> None:
        """To the fifth digit with 32-bit weights; with 8-bit weights in all clear cases."""
        folder = save_original(tmp_path / "original", kind)
        result = converted(folder, tmp_path / "model", quantise=quantise)
        classifier = Classifier(tmp_path / "model")
        texts = list(SAMPLES)
        found = np.array([prediction.probabilities for prediction in classifier.predict(texts)])
        expected = shares_of_original(folder, texts)
        assert len(set(expected.argmax(axis=1))) == 3
        assert result.quantised is quantise
        if not quantise:
            assert np.abs(found - expected).max() < 1e-4
        top = np.sort(expected, axis=1)
        clear = top[:, -1] - top[:, -2] > 0.1
        assert (found.argmax(axis=1) == expected.argmax(axis=1))[clear].all()
        assert result.agreement == (found.argmax(axis=1) == expected.argmax(axis=1)).mean()

    @pytest.mark.parametrize("quantise", [False, True])
    def test_neighbours_do_not_matter(self, tmp_path: Path, quantise: bool) -> None:
        """Alone, together, shuffled: the same bits, though the layers are as wide as real ones."""
        folder = save_original(tmp_path / "original", hidden_size=384, num_attention_heads=6, intermediate_size=512)
        converted(folder, tmp_path / "model", quantise=quantise)
        model = TextModel(tmp_path / "model")
        texts = [model.prepare(text) for text in SAMPLES]
        together = model.read(texts)[HEAD]
        order = random.Random(1).sample(range(len(texts)), len(texts))
        assert np.array_equal(np.concatenate([model.read([text])[HEAD] for text in texts]), together)
        assert np.array_equal(model.read([texts[index] for index in order])[HEAD], together[order])
        assert model.description.batch_texts > 1

    def test_no_layer_multiplies_texts_together(self, original: Path, tmp_path: Path) -> None:
        """Whether that shows in the last bits depends on version and processor, so the network itself is looked at."""
        import onnx

        converted(original, tmp_path / "model", quantise=False)
        graph = onnx.load(tmp_path / "model" / "model.onnx").graph
        assert [node.name for node in graph.node if node.op_type == "Gemm"] == []

    def test_stars(self, tmp_path: Path) -> None:
        """Five columns become three labels by adding up."""
        folder = save_original(tmp_path / "original", labels=STARS)
        result = converted(folder, tmp_path / "model", quantise=False)
        assert [label for _, label in result.labels] == [NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, POSITIVE]
        stars = shares_of_original(folder, list(SAMPLES))
        expected = np.stack([stars[:, :2].sum(axis=1), stars[:, 2], stars[:, 3:].sum(axis=1)], axis=1)
        found = np.array([prediction.probabilities for prediction in Classifier(tmp_path / "model").predict(SAMPLES)])
        assert np.abs(found - expected).max() < 1e-4

    def test_two_labels(self, tmp_path: Path) -> None:
        """In the order of the model's columns; what it never says has probability 0 and is told."""
        folder = save_original(tmp_path / "original", labels=("LABEL_0", "LABEL_1"))
        assigned = read_assignments(["LABEL_0=positive", "LABEL_1=negative"])
        result = converted(folder, tmp_path / "model", labels=assigned, quantise=False)
        assert "this model never says neutral" in result.notes
        prediction = Classifier(tmp_path / "model").predict(["Sular kesik"])[0]
        positive, negative = shares_of_original(folder, ["Sular kesik"])[0]
        assert prediction.probabilities == pytest.approx((negative, 0, positive), abs=1e-4)

    def test_what_lies_in_the_folder(self, original: Path, tmp_path: Path) -> None:
        """What the loader asks for, and where it comes from; a quarter of the size; no name of a folder of the maker's."""
        converted(original, tmp_path / "float", quantise=False)
        converted(original, tmp_path / "model", name="kurum", max_tokens=64)
        assert {path.name for path in (tmp_path / "model").iterdir()} == {*FILES, RECORD_FILE}
        sizes = [(tmp_path / name / "model.onnx").stat().st_size for name in ("float", "model")]
        assert sizes[1] < sizes[0] / 2
        description = json.loads((tmp_path / "model" / "nabiz.json").read_text(encoding="utf-8"))
        assert description | {"batch_texts": None} == {
            "name": "kurum", "preparation": "plain", "max_tokens": 64, "batch_texts": None,
            "heads": {
                "sentiment": {
                    "output": "logits", "labels": ["negative", "neutral", "positive"], "temperature": 1.0, "threshold": 0.5,
                    "weights": {},
                }
            },
        }  # fmt: skip
        record = json.loads((tmp_path / "model" / RECORD_FILE).read_text(encoding="utf-8"))
        assert record["labels"][1] == {"column": 1, "model": "Nötr", "label": "neutral"}
        assert str(original) not in (tmp_path / "model" / "config.json").read_text(encoding="utf-8")

    def test_turkish_preparation(self, original: Path, tmp_path: Path) -> None:
        """Texts of one form have one label."""
        converted(original, tmp_path / "model", preparation="turkish")
        big, small = Classifier(tmp_path / "model").predict(["IŞIK YOK!", "ışık yok!"])
        assert big == small

    def test_widths_that_are_no_multiple_of_32(self, tmp_path: Path) -> None:
        """Stay 32 bits long, and that is said."""
        folder = save_original(tmp_path / "original", hidden_size=60, intermediate_size=100)
        result = converted(folder, tmp_path / "model")
        assert not result.quantised
        assert any("stay 32 bits long" in note for note in result.notes)

    def test_a_tokenizer_that_lowers_case(self, tmp_path: Path) -> None:
        """In the English way, which breaks Turkish words, is pointed out."""
        from tokenizers import normalizers

        folder = save_original(tmp_path / "original")
        tokenizer = small_tokenizer()
        tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
        tokenizer.save_pretrained(folder)
        notes = converted(folder, tmp_path / "model").notes
        assert any("ILIK becomes ilik" in note and "--preparation turkish" in note for note in notes)
        assert not any("ILIK" in note for note in converted(folder, tmp_path / "other", preparation="turkish").notes)

    def test_calibrated(self, original: Path, tmp_path: Path) -> None:
        """On labels drawn from flatter probabilities the temperature comes out above 1, and some texts are unsure."""
        rng = np.random.default_rng(3)
        flat = np.sqrt(shares_of_original(original, list(SAMPLES)))
        chances = flat / flat.sum(axis=1, keepdims=True)
        lines = [
            json.dumps({"text": text, "label": ("negative", "neutral", "positive")[rng.choice(3, p=row)]})
            for _ in range(5)
            for text, row in zip(SAMPLES, chances, strict=True)
        ]
        (tmp_path / "labelled.jsonl").write_text("\n".join(lines), encoding="utf-8")
        result = converted(original, tmp_path / "model", calibrate=tmp_path / "labelled.jsonl")
        assert result.calibrated_on == len(lines)
        assert result.temperature == pytest.approx(2, rel=0.3)
        classifier = Classifier(tmp_path / "model")
        assert classifier.threshold == result.threshold
        unsure = [prediction.label is Label.UNSURE for prediction in classifier.predict(SAMPLES)]
        assert np.mean(unsure) == pytest.approx(calibration.UNSURE_SHARE, abs=0.01)  # one text of 108
        assert not any("not calibrated" in note for note in result.notes)

    def test_not_calibrated(self, original: Path, tmp_path: Path) -> None:
        """Is said."""
        result = converted(original, tmp_path / "model")
        assert (result.temperature, result.threshold, result.calibrated_on) == (1.0, 0.5, 0)
        assert any("not calibrated" in note for note in result.notes)

    def test_a_model_whose_batches_differ_is_read_text_by_text(
        self, original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Slower, but a label stays a text's own."""
        read = TextModel.read

        def shaken(model: TextModel, prepared: Any) -> dict[str, np.ndarray]:
            rows = read(model, prepared)
            return {name: found + (1e-9 if len(prepared) > 1 else 0) for name, found in rows.items()}

        monkeypatch.setattr(TextModel, "read", shaken)
        result = converted(original, tmp_path / "model")
        assert json.loads((tmp_path / "model" / "nabiz.json").read_text(encoding="utf-8"))["batch_texts"] == 1
        assert any("one by one" in note for note in result.notes)


@needs_torch
class TestRefusedConversion:
    def refused(self, folder: Path, **options: Any) -> str:
        """The message; nothing is left."""
        out = folder.parent / "out" / "model"
        message = refusal(converted, folder, out, **options)
        assert not out.parent.exists() or list(out.parent.iterdir()) == []
        return message

    def test_more_names_than_columns(self, tmp_path: Path) -> None:
        """config.json was written by hand."""
        folder = save_original(tmp_path / "original")
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config["id2label"]["3"] = "karışık"
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        message = self.refused(folder, labels={"3": NEUTRAL})
        assert "do not fit its config.json: classifier" in message
        assert "for 4 labels (Olumsuz, Nötr, Olumlu, karışık): correct id2label" in message

    def test_a_head_that_was_never_trained(self, tmp_path: Path) -> None:
        """Claims to sort texts, but would do it by chance."""
        folder = save_original(tmp_path / "original")
        small_network("bert", TURKISH).bert.save_pretrained(folder / "bare")
        (folder / "bare" / "model.safetensors").replace(folder / "model.safetensors")
        message = self.refused(folder)
        assert "lack classifier." in message
        assert "never trained to sort texts" in message

    def test_a_tokenizer_without_words(self, tmp_path: Path) -> None:
        """Its vocabulary was left behind."""
        folder = save_original(tmp_path / "original")
        definition = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        vocabulary = definition["model"]["vocab"]
        definition["model"] |= {"vocab": {word: vocabulary[word] for word in list(vocabulary)[:8]}, "merges": []}
        (folder / "tokenizer.json").write_text(json.dumps(definition), encoding="utf-8")
        assert (
            "of the words of ordinary Turkish texts: see whether its files are complete, or take a model made for Turkish"
            in self.refused(folder)
        )

    def test_broken_tokenizer(self, tmp_path: Path) -> None:
        """And how to get one."""
        folder = save_original(tmp_path / "original")
        (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
        message = self.refused(folder)
        assert f"cannot read the tokenizer in {folder}" in message
        assert "so that FOLDER holds a tokenizer.json" in message

    def test_slow_tokenizer(self, tmp_path: Path) -> None:
        """One that is written in Python cannot be stored as tokenizer.json."""
        folder = tmp_path / "original"
        small_network("bert", TURKISH).save_pretrained(folder)
        (folder / "vocab.json").write_text('{"<pad>": 0, "</s>": 1, "<unk>": 2, "a</w>": 3}', encoding="utf-8")
        (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
        (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "CTRLTokenizer"}', encoding="utf-8")
        assert "(CTRLTokenizer) is none of the fast ones: open it once where it loads" in self.refused(folder)

    def test_no_pad_token(self, tmp_path: Path) -> None:
        """Where to name one."""
        folder = save_original(tmp_path / "original")
        small_tokenizer(pad_token=None).save_pretrained(folder)
        message = self.refused(folder)
        assert "has no pad token: name one in tokenizer_config.json" in message
        assert "pad_token_id in config.json" in message

    def test_broken_weights(self, tmp_path: Path) -> None:
        """Of a download that ended early."""
        folder = save_original(tmp_path / "original")
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:1_000])
        assert "see whether the folder is complete" in self.refused(folder)

    def test_weights_that_are_no_numbers(self, tmp_path: Path) -> None:
        """Training that went wrong."""
        network = small_network("bert", TURKISH)
        network.classifier.bias.data[:] = float("nan")
        network.save_pretrained(tmp_path / "original")
        small_tokenizer().save_pretrained(tmp_path / "original")
        assert "its weights are broken" in self.refused(tmp_path / "original")

    def test_more_tokens_than_it_can_read(self, original: Path, tmp_path: Path) -> None:
        """The limit is named: the tokenizer's, or that of the positions, which RoBERTa counts from behind the padding's."""
        assert "this model reads at most 120 tokens" in self.refused(original, max_tokens=121)
        folder = save_original(tmp_path / "original", "roberta", pad_token_id=20)
        assert "this model reads at most 107 tokens" in self.refused(folder, max_tokens=108)
        assert converted(folder, tmp_path / "model", max_tokens=107).max_tokens == 107

    def test_a_difference_from_the_original(self, original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is written that does not compute the same."""
        export = conversion_module.export_network

        def wrong(network: Any, path: Path) -> None:
            network.network.classifier.bias.data[0] += 0.5
            export(network, path)
            network.network.classifier.bias.data[0] -= 0.5

        monkeypatch.setattr(conversion_module, "export_network", wrong)
        assert "the model differs from the original by 0.5 in a logit, where 0.001 is allowed" in self.refused(original)

    @pytest.mark.parametrize(
        ("labels", "expected"),
        [
            (["negative"] * 9, f"holds 9 texts with a label of this model: calibration needs at least {FEWEST_TEXTS}"),
            (["negative"] * 90, "every text that this model could judge is negative"),
        ],
    )
    def test_texts_to_calibrate_on(self, original: Path, tmp_path: Path, labels: list[str], expected: str) -> None:
        """Too few, and of one label."""
        lines = [json.dumps({"text": "Sular kesik", "label": label}) for label in labels]
        (tmp_path / "few.jsonl").write_text("\n".join(lines), encoding="utf-8")
        assert expected in self.refused(original, calibrate=tmp_path / "few.jsonl")


@needs_torch
class TestCommand:
    def test_report(self, original: Path, tmp_path: Path) -> None:
        """What was made, how it compares, and what comes next; progress on standard error."""
        result = run(str(original), "--out", str(tmp_path / "model"), "--name", "kurum")
        assert result.exit_code == 0, result.output
        version = Classifier(tmp_path / "model").version
        for expected in (
            f"{tmp_path / 'model'} can be used.", f"version      {version}", "Olumsuz → negative, Nötr → neutral", "weights of 8 bits",
            "texts a second", "agreement", "the confidence is not calibrated", f"sentiment: {{model: {tmp_path / 'model'}}}",
            f"nabiz model evaluate labelled.jsonl --model {tmp_path / 'model'}",
        ):  # fmt: skip
            assert expected in result.stdout
        assert result.stderr.splitlines()[0] == f"loading {original} …"
        assert "Traceback" not in result.stderr

    def test_json(self, original: Path, tmp_path: Path) -> None:
        """One value on standard output."""
        arguments = (str(original), "--out", str(tmp_path / "model"), "--json", "--no-quantise")
        value = json.loads(run(*arguments).stdout)
        assert value["labels"][2] == {"column": 2, "model": "Olumlu", "label": "positive"}
        assert (value["quantised"], value["agreement_with_original"], value["calibrated_on_texts"]) == (False, 1.0, 0)
        assert value["version"] == Classifier(tmp_path / "model").version
        assert value["texts_per_second"] > 0
        again = run(*arguments, "--force")
        assert json.loads(again.stdout)["version"] == value["version"]

    def test_from_the_hub(self, hub: Hub, original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Fetched, converted, and the revision noted; nothing is asked of the network after the download."""
        hub.files.update({path.name: path.read_bytes() for path in original.iterdir()})

        def fetch(*arguments: Any) -> Any:
            found = download(*arguments, endpoint=hub.address, cache=tmp_path / "cache")
            hub.asked.clear()
            return found

        monkeypatch.setattr(pipeline.cli.model_import, "download", fetch)
        monkeypatch.chdir(tmp_path)
        value = json.loads(run("kurum/model", "--out", "model", "--json").stdout)
        assert (value["origin"], value["revision"]) == ("kurum/model", REVISION)
        assert value["version"].startswith("model-")
        assert hub.asked == []

    def test_stopped(self, original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ctrl-C leaves nothing, and what was there stays."""

        def stop(*_: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(conversion_module, "quantise_embedding", stop)
        result = run(str(original), "--out", str(tmp_path / "model"))
        assert result.exit_code == 130
        assert list(tmp_path.iterdir()) == []
