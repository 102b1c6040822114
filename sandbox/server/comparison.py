"""What a bot asked for in two runs, compared, whatever the ids and tokens of the runs are."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, zip_longest
from typing import Any

from sandbox.server.act_values import ID
from sandbox.server.recording import Recording
from sandbox.server.snowflake import created_at

Json = dict[str, Any]
_TOKEN = re.compile(r"aW50ZXJhY3Rpb246[\w-]+")
_RANDOM = re.compile(r"\b[0-9a-f]{32}\b")
_MOST_PATHS = 6
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two runs; ``kind`` is missing, extra, changed, answer or act."""

    kind: str
    at: str
    words: str

    def __str__(self) -> str:
        return f"{self.at} {self.kind}: {self.words}"


def compare(recorded: Recording, played: Recording) -> list[Difference]:
    """Return how the requests of the bot differ between a recording and the recording of its replay.

    Ids made during the run, tokens of interactions and random custom ids are taken as equal, and so is
    another order within one moment of sandbox time.
    """
    first, second = _Requests(recorded), _Requests(played)
    found: list[Difference] = []
    matcher = difflib.SequenceMatcher(None, first.keys, second.keys, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            for one, other in zip(first.entries[a:b], second.entries[c:d], strict=True):
                if one["status"] != other["status"]:
                    words = f"{_named(one)} was answered {one['status']}, now {other['status']}"
                    found.append(Difference("answer", one["at"], words))
        else:
            found.extend(_changes(first, second, (a, b), (c, d)))
    return found


class _Requests:
    """The requests of a run in an order that does not depend on chance."""

    def __init__(self, recording: Recording) -> None:
        self._start = datetime.fromisoformat(recording.header["start"])
        self._end = datetime.fromisoformat(recording.header["end"]) + timedelta(days=1)
        pairs: list[tuple[str, Json]] = []
        for _, group in groupby(recording.requests, key=lambda entry: entry["at"]):
            pairs += sorted(((self._key(entry), entry) for entry in group), key=lambda pair: pair[0])
        self.keys = [key for key, _ in pairs]
        self.entries = [entry for _, entry in pairs]

    def _key(self, entry: Json) -> str:
        return json.dumps([entry["method"], self.plain(entry["path"]), self.body(entry)], sort_keys=True)

    def body(self, entry: Json) -> Any:
        """Return a request's body with its files' names, without what differs in every run."""
        return self._plain_all({"body": entry.get("request"), "files": entry.get("files") or []})

    def plain(self, text: str) -> str:
        """Return a text without ids of the run, tokens and random custom ids."""
        text = _RANDOM.sub("<random>", _TOKEN.sub("<token>", text))
        return ID.sub(lambda found: "<id>" if self._of_the_run(int(found.group())) else found.group(), text)

    def _of_the_run(self, number: int) -> bool:
        return self._start <= created_at(number) <= self._end

    def _plain_all(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._plain_all(each) for key, each in value.items() if key != "nonce"}
        if isinstance(value, list):
            return [self._plain_all(each) for each in value]
        if isinstance(value, str):
            return self.plain(value)
        if isinstance(value, int) and not isinstance(value, bool) and value > 2**53:
            return self.plain(str(value))
        return value


def _changes(
    first: _Requests, second: _Requests, before: tuple[int, int], after: tuple[int, int]
) -> Iterator[Difference]:
    """Pair requests of one route with each other; what is left over is missing or extra."""
    left = list(range(*after))
    for one in range(*before):
        entry = first.entries[one]
        same = next((each for each in left if _route(second.entries[each]) == _route(entry)), None)
        if same is None:
            yield Difference("missing", entry["at"], f"{_named(entry)} was asked for, and is not any more")
            continue
        left.remove(same)
        other = second.entries[same]
        paths = list(_paths(first.body(entry), second.body(other)))
        shown = "; ".join(paths[:_MOST_PATHS]) + (" ..." if len(paths) > _MOST_PATHS else "")
        path = "" if first.plain(entry["path"]) == second.plain(other["path"]) else f" now {other['path']}"
        yield Difference("changed", entry["at"], f"{_named(entry)}{path}: {shown or 'in another order'}")
    for each in left:
        entry = second.entries[each]
        yield Difference("extra", entry["at"], f"{_named(entry)} was not asked for before")


def _paths(one: Any, other: Any, path: str = "") -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            yield from _paths(
                one.get(key, _ABSENT), other.get(key, _ABSENT), f"{path}.{key}" if path else key
            )
    elif isinstance(one, list) and isinstance(other, list):
        for place, (each, its) in enumerate(zip_longest(one, other, fillvalue=_ABSENT)):
            yield from _paths(each, its, f"{path}[{place}]")
    elif one != other:
        yield f"{path.removeprefix('body.')} was {_short(one)}, now {_short(other)}"


def _short(value: Any) -> str:
    if value is _ABSENT:
        return "absent"
    words = json.dumps(value, ensure_ascii=False)
    return words if len(words) <= 60 else words[:57] + "..."


def _route(entry: Json) -> tuple[str, str]:
    return entry["method"], entry.get("route") or entry["path"]


def _named(entry: Json) -> str:
    return " ".join(_route(entry))


def summary(differences: Sequence[Difference]) -> str:
    """Return differences as lines of text; that there are none is said too."""
    return "\n".join(str(each) for each in differences) or "no differences"
