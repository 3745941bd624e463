"""Runs one file through one namespace, with faults on its way."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.configuration import Configuration
from pipeline.replay import ReplayProgress, ReplayWatcher, remove_topics, source_spec
from tests.campaigns.faults import Fault
from tests.campaigns.outcomes import Outcome, Violation
from tests.campaigns.site import Scene, Site, Stuck

LONGEST_SECS: Final = 300.0
SAY_SECS: Final = 60.0
PACE: Final = 220.0  # two hours of the surge in 35 s: long enough for a fault to meet a working system
FAST_UNTIL: Final = "2019-09-26T13:55:00+0300"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One run."""

    name: str
    configuration: Configuration
    file: Path
    total: int
    faults: Sequence[Fault] = ()
    paced: bool = True
    longest_secs: float = LONGEST_SECS


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What came of a run."""

    outcome: Outcome | None
    fired: Sequence[str]
    violations: Sequence[Violation]
    seconds: float


def run(site: Site, plan: Plan, judge: Callable[[Outcome], Iterator[Violation]], *, keep_topics: bool = False) -> Finished:
    """Start, let the faults happen, wait for the end, read the outcome, judge it."""
    started = time.monotonic()
    deployment = site.deployment(plan.configuration, plan.name)
    site.log(f"-- {plan.name}")
    outcome, violations, fired = None, [], []
    with site.running(deployment) as scene:
        fired = scene.fired
        try:
            _follow(scene, plan)
        except Stuck as stuck:
            violations.append(Violation("lost", f"{stuck}; logs in {deployment.logs}"))
        else:
            outcome = Outcome.of(deployment, plan.name)
    if outcome is not None:
        violations += judge(outcome)
        if not keep_topics and not violations:
            remove_topics(deployment.kafka)
    if len(fired) < len(plan.faults):
        violations.append(Violation("wrong", f"only {len(fired)} of {len(plan.faults)} faults fired: the run proves nothing"))
    return Finished(outcome=outcome, fired=fired, violations=violations, seconds=time.monotonic() - started)


def _follow(scene: Scene, plan: Plan) -> None:
    more = ("--fast-until", FAST_UNTIL) if plan.paced else ()
    speed = str(PACE) if plan.paced else "max"
    scene.roles.start_role(source_spec(scene.deployment, plan.file, encoding="utf-8", speed=speed, more=more))
    going = [fault.run(scene) for fault in plan.faults]
    left, said_at = "nothing was seen", time.monotonic()

    def report(progress: ReplayProgress) -> None:
        nonlocal left, said_at
        scene.share = progress.counts.read / plan.total
        left = f"{scene.share:.0%} delivered, left: {dict(progress.left)}"
        if time.monotonic() - said_at >= SAY_SECS:
            said_at = time.monotonic()
            scene.site.say(f"{plan.name}: {left}")

    with ReplayWatcher(scene.deployment) as watcher:

        def over() -> bool:
            going[:] = [act for act in going if next(act, StopIteration) is not StopIteration]
            return watcher.done(report) and not going

        try:
            scene.wait(over, plan.longest_secs, "the end")
        except Stuck as stuck:
            raise Stuck(f"{stuck}: {left}") from stuck
        finally:
            for act in going:
                act.close()
