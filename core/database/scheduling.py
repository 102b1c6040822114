"""Which calls run next: in order within a key, and what is slow out of everybody's way."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable
from itertools import islice

from core.database.operations import Operation

#: Fast runs that a function must show after it was stopped, before it runs among the others again; at most.
MOST_STRIKES = 3
_MOST_NAMES = 500


class Scheduler:
    """Hands out calls; on the event loop only.

    The calls of one key never run at the same time, nor out of order. A call that was stopped because it took
    too long waits in a queue of its own, its key with it, and so does what calls the same function
    afterwards, until that is fast again.

    :param fast: seconds; a run that takes less speaks for its function.
    """

    def __init__(self, fast: float) -> None:
        self._fast = fast
        self._ready: deque[Operation] = deque()
        self._ready_keys: Counter[int | None] = Counter()
        self._slow: deque[Operation] = deque()
        self._held: dict[int, deque[Operation]] = {}
        self._strikes: dict[str, int] = {}
        self._slow_names: set[str] = set()

    @property
    def ready(self) -> int:
        """Calls that could run at once; also for a look from another thread."""
        return len(self._ready)

    @property
    def crowded(self) -> bool:
        """Whether anything waits, for a thread or for its key; also for a look from another thread."""
        return bool(self._ready) or any(map(len, list(self._held.values())))

    def has_several_keys(self, most: int) -> bool:
        """Return whether the next `most` calls are of more than one key."""
        return len({operation.key for operation in islice(self._ready, most)}) > 1

    @property
    def quarantined(self) -> Collection[str]:
        """Names of functions that run out of the others' way."""
        return self._strikes.keys()

    def add(self, operation: Operation) -> None:
        """Queue a call."""
        waiting = self._waiting(operation.key)
        if waiting is None or operation.key in self._ready_keys:
            self._ready.append(operation)
            self._ready_keys[operation.key] += 1
        else:
            # What waits for its key is older than everything of that key that is ready.
            waiting.append(operation)

    def take(self, most: int) -> list[Operation]:
        """Return calls for one transaction, in order; their keys are held until they are `finished`.

        :param most: how many.
        """
        taken: list[Operation] = []
        mine: set[int] = set()
        ready = self._ready
        while ready and len(taken) < most:
            operation = ready[0]
            key = operation.key
            if key is not None and key in self._held and key not in mine:
                self._held[key].append(self._pop())
                continue
            if self._strikes and operation.name in self._strikes:
                if key in mine:
                    # Its turn comes when those before it are done.
                    self._held[key].append(self._pop())
                    mine.discard(key)
                    continue
                self._slow.append(self._pop())
                self._hold(key)
                continue
            if operation.alone and taken:
                break
            taken.append(self._pop())
            if key is not None and key not in mine:
                mine.add(key)
                self._hold(key)
            if operation.alone:
                break
        return taken

    def take_slow(self, now: float) -> list[Operation]:
        """Return one slow call that is due and whose function is not running, or nothing."""
        for index, operation in enumerate(self._slow):
            if operation.due <= now and operation.name not in self._slow_names:
                del self._slow[index]
                self._slow_names.add(operation.name)
                return [operation]
        return []

    def next_due(self) -> float | None:
        """Return when the next slow call is due, None if none waits."""
        return min((o.due for o in self._slow if o.name not in self._slow_names), default=None)

    def awaited_since(self, running: Operation) -> float | None:
        """Return when the oldest call was made that waits until this slow one has ended, None if none does.

        These wait for its key, or for the key of another slow call that waits for its function or its thread.
        """
        keys = {running.key}
        for operation in self._slow:
            if operation.name == running.name or operation.name not in self._slow_names:
                keys.add(operation.key)
        # In order, hence the first of a key is its oldest.
        return min((waiting[0].made for key in keys if (waiting := self._waiting(key))), default=None)

    def finished(self, operations: Iterable[Operation], *, slow: bool = False) -> None:
        """Take calls back: those that ended free their keys, the late are queued as slow, the rest again.

        :param slow: they came from `take_slow`.
        """
        operations = list(operations)
        late = {operation.key for operation in operations if operation.late}
        for operation in operations:
            if slow:
                self._slow_names.discard(operation.name)
            if operation.late:
                self._strike(operation.name)
                self._slow.append(operation)
            elif slow and operation.ended and operation.seconds < self._fast:
                self._forgive(operation.name)
        for operation in reversed(operations):
            if operation.ended or operation.late:
                continue
            # In front of what came for its key meanwhile.
            if operation.key is None:
                self._push([operation])
            else:
                self._held[operation.key].appendleft(operation)
        for key in {operation.key for operation in operations} - late - {None}:
            self._push(self._held.pop(key))  # type: ignore[arg-type]

    def drain(self) -> list[Operation]:
        """Take out every call that is not running, for good."""
        found = [*self._ready, *self._slow]
        keys = {operation.key for operation in self._slow}
        self._ready.clear()
        self._ready_keys.clear()
        self._slow.clear()
        for key, waiting in list(self._held.items()):
            found += waiting
            waiting.clear()
            if key in keys:
                del self._held[key]
        return found

    def _waiting(self, key: int | None) -> deque[Operation] | None:
        return None if key is None else self._held.get(key)

    def _pop(self) -> Operation:
        operation = self._ready.popleft()
        self._ready_keys[operation.key] -= 1
        if not self._ready_keys[operation.key]:
            del self._ready_keys[operation.key]
        return operation

    def _push(self, operations: Collection[Operation]) -> None:
        """Put calls in front of the others."""
        self._ready.extendleft(reversed(list(operations)))
        self._ready_keys.update(operation.key for operation in operations)

    def _hold(self, key: int | None) -> None:
        if key is not None:
            self._held.setdefault(key, deque())

    def _strike(self, name: str) -> None:
        if name not in self._strikes and len(self._strikes) >= _MOST_NAMES:
            del self._strikes[next(iter(self._strikes))]
        self._strikes[name] = min(MOST_STRIKES, self._strikes.get(name, 0) + 1)

    def _forgive(self, name: str) -> None:
        left = self._strikes.get(name, 0) - 1
        if left > 0:
            self._strikes[name] = left
        else:
            self._strikes.pop(name, None)
