"""The scheduler alone: whatever is stopped, put back or slow, a key keeps its order and no call is lost."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.database.operations import Operation
from core.database.scheduling import Scheduler


def fast() -> None:
    """What most calls run."""


def slow() -> None:
    """What is stopped now and then."""


#: Of four threads.
SLOW_THREADS = (2, 3)
#: The scheduler looks at no future.
NOBODY: Any = None
#: What a thread does with the calls that it was given: how many it ends, and whether the next one was late.
TURNS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 8), st.booleans()), max_size=40)
CALLS = st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), max_size=30)


@settings(max_examples=500)
# Put back, and then overtaken by what came for its key later.
@example(calls=[(0, False, False)] * 4, turns=[(0, 0, False)] * 3, at_once=1)
# Behind a slow call that waits for another one to run.
@example(
    calls=[(0, True, False), (1, True, False), (1, False, False)],
    turns=[(0, 0, False), (0, 0, True), (2, 0, False), (0, 0, False)],
    at_once=1,
)
# Two that run, and behind only one of them a third.
@example(
    calls=[(0, True, False), (1, False, False), (2, True, False), (2, False, False)],
    turns=[(0, 0, False), (0, 0, True)] * 2 + [(2, 0, False), (3, 0, False), (0, 0, False)],
    at_once=1,
)
@given(calls=CALLS, turns=TURNS, at_once=st.integers(1, 10))
def test_a_key_keeps_its_order_and_nothing_is_lost(
    calls: list[tuple[int, bool, bool]], turns: list[tuple[int, int, bool]], at_once: int
) -> None:
    scheduler = Scheduler(fast=0.1)
    operations = [
        Operation(NOBODY, slow if is_slow else fast, key=key, alone=alone) for key, is_slow, alone in calls
    ]
    for number, operation in enumerate(operations):
        operation.made = float(number)
    waiting = list(operations)
    running: dict[int, tuple[list[Operation], bool]] = {}
    done: list[Operation] = []

    def finish(thread: int, ends: int, late: bool) -> None:
        batch, is_slow = running.pop(thread)
        for operation in batch[:ends]:
            operation.ended, operation.late, operation.seconds = True, False, 0.0
            done.append(operation)
        if late and ends < len(batch):
            batch[ends].late = True
        scheduler.finished(batch, slow=is_slow)

    def look() -> None:
        """See that each slow call that runs knows who waits for it."""
        if scheduler.ready:
            # Of these it is open yet whether they wait.
            return
        at_work = {one for batch, _ in running.values() for one in batch}
        undone = [one for one in operations if one not in done and one not in waiting]
        slow_ones = [batch[0] for batch, is_slow in running.values() if is_slow]
        names = {one.name for one in slow_ones}
        for mine in slow_ones:
            expected: list[float] = []
            for key in {one.key for one in undone}:
                first, *others = [one for one in undone if one.key == key]
                queued = first not in at_work and (first.name == mine.name or first.name not in names)
                if first is mine or queued:
                    expected += [one.made for one in others]
            assert scheduler.awaited_since(mine) == min(expected, default=None)

    def start(thread: int) -> None:
        batch = scheduler.take_slow(0.0) if thread in SLOW_THREADS else scheduler.take(at_once)
        if not batch:
            return
        keys = {operation.key for others, _ in running.values() for operation in others}
        assert keys.isdisjoint(operation.key for operation in batch)
        assert len(batch) == 1 or not any(operation.alone for operation in batch)
        for operation in batch:
            operation.late = False
        running[thread] = batch, thread in SLOW_THREADS

    for thread, number, late in turns:
        if waiting:
            scheduler.add(waiting.pop(0))
        if thread in running:
            finish(thread, number, late)
        else:
            start(thread)
        look()
    while waiting:
        scheduler.add(waiting.pop(0))
    for _ in range(4 * len(operations) + 8):
        for thread in range(4):
            if thread in running:
                finish(thread, at_once + 1, late=False)
            start(thread)
            look()
    assert len(done) == len(operations)
    for key in {operation.key for operation in operations}:
        assert [one for one in done if one.key == key] == [one for one in operations if one.key == key]
    assert scheduler.drain() == []
    assert not scheduler.ready
