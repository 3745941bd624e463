"""`make bench`: how much of the model's speed the pipeline keeps, against what a naive agent keeps, and how soon it tells.

Everything runs on this machine, at the same time as nothing else, against the real Kafka and Elasticsearch. Rates are
compared within one run and in alternation, since two runs on two days differ by more than what is measured. Ends with 1
when a bar is missed.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from processors.sentiment import BUNDLED_MODEL
from tests.benchmarks.corpus import posts
from tests.benchmarks.installation import BenchmarkFailed, Installation, installed
from tests.benchmarks.latency import LENGTH_SECS, SURGES, measure
from tests.benchmarks.machine import describe
from tests.benchmarks.naive import Naive, engine
from tests.benchmarks.rates import Spread, quantile
from tests.benchmarks.sides import Sides

PIPELINE_BAR = 0.8
NAIVE_BAR = 2.5
NAIVE_ROUNDS = 3


@dataclass
class Results:
    """What a run found; goes into the JSON file as it is."""

    machine: dict[str, str]
    options: dict[str, Any]
    model_rates: list[float] = field(default_factory=list)
    pipeline_rates: list[float] = field(default_factory=list)
    naive_engine: str = ""
    naive_rates: dict[str, list[float]] = field(default_factory=dict)
    latency_rate: float = 0.0
    latency_secs: dict[str, list[float]] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    took_secs: float = 0.0

    @property
    def ratios(self) -> list[float]:
        """Of each pair of rounds."""
        return [pipeline / model for model, pipeline in zip(self.model_rates, self.pipeline_rates, strict=True)]


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.monotonic()
    results = Results(describe(), {name: str(value) for name, value in vars(options).items()})
    for name, value in results.machine.items():
        print(f"{name}: {value}")
    print(f"{len(posts(options.texts))} different invented texts, one inference thread on either side\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="nabiz-bench-") as folder, installed(Path(folder)) as installation:
        _run(installation, options, results)
    results.took_secs = round(time.monotonic() - started, 1)
    _judge(results)
    if options.json:
        options.json.write_text(json.dumps(asdict(results), indent=1), encoding="utf-8")
    return 1 if results.missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=3000, help="different texts in a round (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=5, help="rounds of either side (default: %(default)s)")
    parser.add_argument("--naive-texts", type=int, default=300, help="texts in a round of the naive agent (default: %(default)s)")
    parser.add_argument("--model", type=Path, default=BUNDLED_MODEL, help="folder of another model")
    parser.add_argument("--skip", nargs="*", choices=("naive", "latency"), default=(), help="what to leave out")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    return parser.parse_args()


def _run(installation: Installation, options: argparse.Namespace, results: Results) -> None:
    texts = posts(options.texts)
    sides = Sides(installation, texts, options.model, threads=1)
    naive = Naive(installation, texts[: options.naive_texts], options.model, engine())
    results.naive_engine = naive.engine
    for number in range(options.pairs):
        results.model_rates.append(_said(f"round {number + 1}: bare model", sides.bare_model()))
        results.pipeline_rates.append(_said(f"round {number + 1}: pipeline", sides.pipeline(f"replay-bench-{number}")))
        print(f"round {number + 1}: ratio {results.ratios[-1]:.3f}", flush=True)
        if number < NAIVE_ROUNDS and "naive" not in options.skip:
            _naive_round(naive, number, results)
    if "latency" not in options.skip:
        rate = Spread.of(results.pipeline_rates).median / 2
        print(f"latency: {rate:.1f} posts a second, {SURGES} surges, {LENGTH_SECS:.0f} s", flush=True)
        found = measure(installation, texts, options.model, rate)
        results.latency_rate = rate
        results.latency_secs = {"total": list(found.total), **{stage: list(secs) for stage, secs in found.stages.items()}}


def _naive_round(naive: Naive, number: int, results: Results) -> None:
    """torch takes all cores if nobody tells it otherwise; the bar is at equal threads, the other figure stands beside it."""
    for threads in (1, None) if naive.engine == "torch" else (1,):
        name = "1 thread" if threads else "all cores"
        rate = naive.rate(f"naive-{number}-{threads or 'all'}", threads)
        results.naive_rates.setdefault(name, []).append(_said(f"round {number + 1}: naive agent, {naive.engine}, {name}", rate))


def _said(what: str, rate: float) -> float:
    print(f"{what}: {rate:.1f} texts/s", flush=True)
    return rate


# -- the end ------------------------------------------------------------------------------------------------------------


def _judge(results: Results) -> None:
    """Print the figures and note each bar that is missed."""
    ratio = Spread.of(results.ratios)
    print(f"\nbare model         {Spread.of(results.model_rates).shown()} texts/s")
    print(f"pipeline           {Spread.of(results.pipeline_rates).shown()} texts/s")
    _bar(results, "pipeline / model", ratio, PIPELINE_BAR)
    for name, rates in results.naive_rates.items():
        print(f"naive, {name:<11} {Spread.of(rates).shown()} texts/s")
        ratios = Spread.of([pipeline / naive for pipeline, naive in zip(results.pipeline_rates, rates, strict=False)])
        bar = NAIVE_BAR if results.naive_engine == "torch" and name == "1 thread" else None
        _bar(results, f"pipeline / naive, {name}", ratios, bar)
    if results.naive_engine == "torch":
        print("the naive agent calls a transformers pipeline with random weights of the bundled model's shape")
    elif results.naive_rates:
        print("torch is not installed (extra `training`): the naive agent called our own classifier, one text at a time;")
        print("the comparison with a transformers pipeline was skipped, and its bar with it")
    if results.latency_secs:
        _show_latency(results)
    for missed in results.missed:
        print(f"MISSED: {missed}")
    print(f"took {results.took_secs:.0f} s")


def _bar(results: Results, what: str, found: Spread, bar: float | None) -> None:
    print(f"{what:<18} {found.shown(2)}" + ("" if bar is None else f", bar {bar}"))
    if bar is not None and found.median < bar:
        results.missed.append(f"{what} is {found.median:.3f}, the bar is {bar}")


def _show_latency(results: Results) -> None:
    total = results.latency_secs["total"]
    print(f"\nfrom the deciding mention to the message, {len(total)} messages at {results.latency_rate:.1f} posts/s, in seconds:")
    for stage, secs in results.latency_secs.items():
        print(f"{stage:<8} p50 {quantile(secs, 0.5):.2f}  p99 {quantile(secs, 0.99):.2f}  max {max(secs):.2f}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchmarkFailed as error:
        sys.exit(f"the benchmark itself failed: {error}")
