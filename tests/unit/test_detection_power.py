"""How soon a rise is found, in the words that a person reads beforehand, in both languages."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.cli.main import main
from pipeline.detection_power import _TEXTS, DetectionPower
from processors.spikes.power import Power
from schemas.watches import Watch, WatchLevel

BEGIN = datetime(2026, 11, 2, tzinfo=UTC)
WATCHES = """
- id: {id}
  title: Su
  query: su
  level: {level}
  on_call: nobetci
  purpose: Kesintileri erken görmek
  legal_basis: KVKK m.5/2-ç
  owner: Basın
  expires: 2027-12-31
"""
CONFIG = "on_call: {nobetci: {budget_weeks: 12, channels: [console]}}\n"


def watch(budget_weeks: float = 12) -> Watch:
    return Watch(
        watch_id="su", version=1, title="Su", query="su", level=WatchLevel.PAGE, on_call="nobetci", purpose="Duymak",
        legal_basis="5216 sayılı Kanun", owner="Basın birimi", expires=date(2030, 1, 1), updated_at=BEGIN, budget_weeks=budget_weeks,
    )  # fmt: skip


def said(*found: tuple[float, float | None], per_hour: float = 3.0) -> DetectionPower:
    """Share and median of tenfold, fivefold, threefold rises."""
    rises = tuple(
        Power(times=times, found=share, median_minutes=median) for times, (share, median) in zip((10, 5, 3), found, strict=False)
    )
    return DetectionPower(per_hour=per_hour, budget_weeks=12, rises=rises)


class TestWords:
    """From the figures alone: those of the table change with the detector."""

    def test_what_is_found_and_what_is_not(self) -> None:
        power = said((0.95, 41.6), (0.1, None), (0.0, None))
        assert power.words("en") == (
            "3 mentions an hour, 1 false call in 12 weeks, after 2–8 weeks of listening: a tenfold rise is found in about 42 minutes, "
            "a fivefold or threefold one not reliably"
        )
        assert power.words("tr") == (
            "Saatte 3 paylaşım, 12 haftada 1 yanlış çağrı, 2–8 hafta dinledikten sonra: on katına çıkan paylaşım yaklaşık 42 dakikada "
            "bulunur, beş ya da üç katına çıkan güvenilir biçimde bulunmaz"
        )

    def test_what_is_found_only_sometimes_is_told_with_its_share(self) -> None:
        power = said((1.0, 7.9), (0.8, 29.0), (0.08, None), per_hour=60)
        assert power.words("en").endswith(
            "a tenfold rise is found in about 8 minutes, a fivefold one in about 29 minutes, but within an hour only 80% of the "
            "time, a threefold one not reliably"
        )
        assert "beş katına çıkan yaklaşık 29 dakikada, ama bir saat içinde yalnızca %80 olasılıkla" in power.words("tr")

    def test_nothing_is_found(self) -> None:
        power = said((0.04, None), (0.0, None), (0.0, None), per_hour=0.5)
        assert power.words("en").endswith(": no rise up to the tenfold is found reliably within an hour")
        assert power.words("tr").startswith("Saatte 0,5 paylaşım")

    def test_everything_is_found(self) -> None:
        assert (
            said((1.0, 0.4), (1.0, 2.0), (1.0, 9.0))
            .words("en")
            .endswith(
                "a tenfold rise is found in about 1 minutes, a fivefold one in about 2 minutes, a threefold one in about 9 minutes"
            )
        )

    def test_too_little_was_heard(self) -> None:
        power = DetectionPower.of(watch(), None)
        assert "cannot be told from so few posts" in power.words("en")
        assert "bu kadar az paylaşımdan söylenemez" in power.words("tr")
        assert power.value() == {"an_hour": None, "budget_weeks": 12, "rises": []}

    def test_what_was_not_measured(self) -> None:
        power = DetectionPower.of(watch(budget_weeks=5_000), 60.0)
        assert "was not measured for so rare a false call" in power.words("en")
        assert "ölçülmedi" in power.words("tr")

    def test_both_languages_have_the_same_texts(self) -> None:
        assert _TEXTS["tr"].keys() == _TEXTS["en"].keys()


def test_numbers_for_scripts() -> None:
    """Of a real watch: the share falls with the height, and what is reliable is found in nine of ten."""
    value = DetectionPower.of(watch(), 60.0).value()
    assert (value["an_hour"], value["budget_weeks"]) == (60.0, 12)
    assert [rise["times"] for rise in value["rises"]] == [10, 5, 3]
    shares = [rise["found_in_60_minutes"] for rise in value["rises"]]
    assert shares == sorted(shares, reverse=True)
    assert [rise["reliable"] for rise in value["rises"]] == [share >= 0.9 for share in shares]


# -- nabiz watch test -----------------------------------------------------------------------------------------------------


def posts(folder: Path, *, hours: int, **changes: object) -> Path:
    """Six an hour, each by somebody else."""
    file = folder / "posts.jsonl"
    lines = [
        {
            "id": str(number), "published_at": (BEGIN + timedelta(minutes=10 * number)).isoformat(),
            "text": f"Su yok no{number}", "author": f"kisi{number}", "platform": "ornek", **changes,
        }
        for number in range(6 * hours + 1)
    ]  # fmt: skip
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return file


def run(folder: Path, *arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, ["watch", "test", *map(str, arguments), "--data", str(folder / "data")])
    assert result.exit_code == 0, result.output
    return result


def power_of(result: Result) -> dict[str, float]:
    found: dict[str, float] = json.loads(result.stdout)["watches"][0]["detection_power"]
    return found


def test_a_query_is_told_with_the_rate_of_the_file(tmp_path: Path) -> None:
    """And the budget of a list of its own."""
    file = posts(tmp_path, hours=30)
    assert "6 mentions an hour, 1 false call in 12 weeks" in run(tmp_path, "su", file).output
    assert "Saatte 6 paylaşım, 12 haftada 1 yanlış çağrı" in run(tmp_path, "su", file, "--lang", "tr").output
    assert power_of(run(tmp_path, "su", file, "--json"))["an_hour"] == pytest.approx(6, abs=0.1)


def test_one_loud_author_is_no_rate(tmp_path: Path) -> None:
    """It is that of the weight: once an hour, as `detect` counts."""
    file = posts(tmp_path, hours=30, author="biri")
    assert power_of(run(tmp_path, "su", file, "--json"))["an_hour"] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("query", "hours"), [("su", 20), ("park", 30)])
def test_from_too_little_no_rate_is_taken(tmp_path: Path, query: str, hours: int) -> None:
    result = run(tmp_path, query, posts(tmp_path, hours=hours))
    assert "cannot be told from so few posts" in result.output


def test_the_budget_is_shared_among_the_watches_of_the_file(tmp_path: Path) -> None:
    """As when they are applied; a watch that only tells does not share."""
    levels = (("su", "page"), ("kesinti", "page"), ("haber", "notice"))
    file, config = tmp_path / "watches.yaml", tmp_path / "config.yaml"
    file.write_text("".join(WATCHES.format(id=name, level=level) for name, level in levels), encoding="utf-8")
    config.write_text(CONFIG, encoding="utf-8")
    result = run(tmp_path, file, posts(tmp_path, hours=30), "--config", config, "--json")
    found = {each["watch_id"]: each["detection_power"]["budget_weeks"] for each in json.loads(result.stdout)["watches"]}
    assert found == {"su": 24, "kesinti": 24, "haber": 12}
