from __future__ import annotations

import numpy as np
import pytest

from hearing.recognition.scheduling import Job, RecognitionQueue, Scheduler, SchedulingConfig

STEP = 0.064
CONFIG = SchedulingConfig(decoders=2.0, saved=1.0)


def job(name: str, since: float = 0.0, seconds: float = 1.0, *, final: bool = False, addressed: float = 0.2) -> Job:
    return Job(name, final, since, seconds, addressed)


def chosen(scheduler: Scheduler, jobs: list[Job], now: float) -> list[str]:
    return [job.utterance_id for job in scheduler.choose(jobs, now)]


def exceeded(spent: list[float]) -> float:
    """By how much the seconds that were spent in every step exceed what is granted, over the worst window."""
    total = np.concatenate([[0.0], np.cumsum(np.array(spent) - CONFIG.decoders * STEP)])
    return float(np.max(total - np.minimum.accumulate(total)))


def busy(seed: int, addressed: float) -> list[float]:
    """Seconds that are spent in every step while there is always more to do than can be done."""
    rng = np.random.default_rng(seed)
    scheduler, waiting, spent = Scheduler(CONFIG), [], []
    for step in range(1, 500):
        if rng.random() < 0.2:
            final = bool(rng.random() < 0.3)
            seconds = rng.uniform(1.0, 5.0) if final else 0.64
            likely = addressed if rng.random() < 0.3 else 0.2
            waiting.append(job(f"u{step:04d}", step * STEP, seconds, final=final, addressed=likely))
        run = scheduler.choose(waiting, step * STEP)
        waiting = [job for job in waiting if job not in run]
        spent.append(sum(job.seconds for job in run))
    assert waiting
    return spent


@pytest.mark.parametrize("seed", range(5))
def test_no_window_exceeds_the_budget_by_more_than_what_was_saved_and_one_job(seed: int) -> None:
    spent = busy(seed, addressed=0.2)
    assert exceeded(spent) <= CONFIG.most + 5.0
    assert sum(spent) == pytest.approx(CONFIG.decoders * len(spent) * STEP, abs=CONFIG.most + 5.0)


@pytest.mark.parametrize("seed", range(5))
def test_who_addresses_the_robot_does_not_raise_what_is_computed_in_the_long_run(seed: int) -> None:
    assert exceeded(busy(seed, addressed=0.95)) <= 2 * (CONFIG.most + 5.0)


def test_what_is_not_used_is_saved_up_for_a_second() -> None:
    scheduler = Scheduler(CONFIG)
    assert scheduler.choose([], 100.0) == []
    jobs = [job(f"u{k}", k, 0.5) for k in range(10)]
    assert chosen(scheduler, jobs, 100.0) == ["u0", "u1", "u2", "u3"]
    assert chosen(scheduler, jobs[4:], 100.25) == ["u4"]


def test_a_long_job_runs_at_once_and_is_paid_for_afterwards() -> None:
    scheduler = Scheduler(CONFIG)
    assert chosen(scheduler, [job("long", seconds=6.0, final=True)], 10.0) == ["long"]
    assert chosen(scheduler, [job("next")], 11.9) == []
    assert chosen(scheduler, [job("next")], 12.1) == ["next"]


def test_order() -> None:
    jobs = [
        job("partial", 1.0),
        job("younger final", 4.0, final=True),
        job("older final", 3.0, final=True),
        job("addressed partial", 5.0, addressed=0.95),
        job("addressed final", 6.0, final=True, addressed=0.95),
        job("older partial", 0.5, addressed=0.3),
    ]
    order = chosen(Scheduler(SchedulingConfig(decoders=100.0)), jobs, 7.0)
    assert order == [
        "addressed final", "addressed partial", "older final", "younger final", "older partial", "partial",
    ]  # fmt: skip


def test_what_others_owe_does_not_hold_up_who_addresses_the_robot() -> None:
    scheduler = Scheduler(CONFIG)
    assert chosen(scheduler, [job("other", seconds=20.0, final=True)], 10.0) == ["other"]
    robot = job("robot", 10.5, seconds=3.0, addressed=0.95)
    assert chosen(scheduler, [job("third"), robot], 10.5) == ["robot"]
    # He has to pay for himself, and the others for him as well.
    assert chosen(scheduler, [job("third"), robot], 10.9) == []
    assert chosen(scheduler, [job("third"), robot], 11.1) == ["robot"]
    assert chosen(scheduler, [job("third")], 10.0 + 24.0 / 2 - 0.1) == []
    assert chosen(scheduler, [job("third")], 10.0 + 24.0 / 2 + 0.1) == ["third"]


def test_reset_forgives_debts() -> None:
    scheduler = Scheduler(CONFIG)
    scheduler.choose([job("long", seconds=20.0)], 10.0)
    scheduler.reset()
    assert chosen(scheduler, [job("next")], 0.1) == ["next"]


def test_queue() -> None:
    queue = RecognitionQueue.of([job("a", 4.0, 0.64), job("b", 2.5, 3.0, final=True)], 5.0)
    assert queue == RecognitionQueue(waiting=2, oldest=2.5, behind=pytest.approx(3.64))
    assert RecognitionQueue.of([], 5.0) == RecognitionQueue()
