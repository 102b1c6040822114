"""The figures in Prometheus' text format; every series is bounded: no guild is a label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from core.health.figures import Figures

#: Figures of the database, with what they mean and whether they only grow.
_DATABASE = {
    "batches": ("Transactions of the writers that were committed.", True),
    "writes": ("Calls that were written.", True),
    "reads": ("Calls that were read.", True),
    "reruns": ("Calls that ran again after a deadlock or a lost connection.", True),
    "reconnects": ("Connections to the database made anew.", True),
    "slow": ("Calls that took longer than a quarter of a second.", True),
    "yields": ("Calls that were stopped and run again, so that others need not wait for them.", True),
    "slowest": ("Seconds of the slowest call.", False),
}


def exposition(figures: Figures, accept: str = "") -> tuple[bytes, str]:
    """Return figures as text, and its content type.

    :param accept: the HTTP header of that name: Prometheus' own format or OpenMetrics.
    """
    registry = CollectorRegistry()
    registry.register(_Snapshot(figures))
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Snapshot(Collector):
    """Hands out figures that were taken before."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def describe(self) -> Iterable[Metric]:
        # Without it the registry would collect once more, only to learn the names.
        return []

    def collect(self) -> Iterator[Metric]:
        figures = self._figures
        yield InfoMetricFamily("redlegion_build", "What runs here.", {"version": figures.version})
        yield _gauge("uptime_seconds", "Seconds since the start.", figures.uptime)
        yield _gauge("ready", "1 once the guilds are open.", float(figures.ready))
        yield _by(
            GaugeMetricFamily,
            "plugin_loaded",
            "1 for a plugin that is loaded, 0 for one in quarantine.",
            ("plugin",),
            {(name,): float(loaded) for name, loaded in figures.plugins.items()},
        )
        yield from self._hooks()
        yield from self._loop()
        yield from self._jobs()
        yield from self._database()
        yield from self._discord()
        yield _gauge("voice_sessions_open", "Voice sessions that are open now.", figures.voice_sessions)
        yield _gauge("voice_unwritten", "Voice events that are not committed yet.", figures.voice_unwritten)

    def _hooks(self) -> Iterator[Metric]:
        labels, hooks = ("plugin", "hook"), self._figures.hooks
        for name, words in (
            ("delivered", "Events that a plugin's hook took."),
            ("failed", "Events at which it raised."),
            ("timed_out", "Events at which it took longer than its deadline; part of those failed."),
            ("dropped", "Events that it never saw, by a full lane or an open breaker."),
        ):
            values = {(each.plugin, each.hook): float(getattr(each, name)) for each in hooks}
            yield _by(CounterMetricFamily, f"hook_{name}", words, labels, values)
        seconds = {
            (each.plugin, each.hook, quantile): value
            for each in hooks
            for quantile, value in (("0.5", each.p50), ("0.99", each.p99), ("1", each.longest))
        }
        words = "Seconds that a plugin's hook took: the middle, the slowest of a hundred, the slowest of all."
        yield _by(GaugeMetricFamily, "hook_seconds", words, (*labels, "quantile"), seconds)
        figures = self._figures
        for name, words, depths in (
            ("lane_depth", "Events that wait for a plugin now, in all guilds.", figures.depths),
            ("lane_depth_max", "Events that wait now in the longest lane.", figures.deepest),
        ):
            waiting = {(plugin,): float(depth) for plugin, depth in depths.items()}
            yield _by(GaugeMetricFamily, name, words, ("plugin",), waiting)
        yield _by(
            GaugeMetricFamily,
            "breakers",
            "Guilds in which a plugin gets no events for now, after failures in a row.",
            ("plugin", "state"),
            {key: float(number) for key, number in figures.breakers.items()},
        )
        yield _gauge("lanes_hung", "Lanes kept shut by a call that outlived its deadline.", figures.hung)

    def _loop(self) -> Iterator[Metric]:
        figures = self._figures
        # The empty name stands for code that is no plugin's, and for a machine without a free processor.
        for name, words, values in (
            ("loop_stalls", "Times that the event loop stood still, by who held it.", figures.stalls),
            ("loop_stalled_seconds", "How long in all.", figures.stalled_seconds),
        ):
            named = {(plugin,): float(value) for plugin, value in values.items()}
            yield _by(CounterMetricFamily, name, words, ("plugin",), named)

    def _jobs(self) -> Iterator[Metric]:
        jobs = self._figures.jobs
        if jobs is None:
            return
        values = {key: float(number) for key, number in jobs.counts.items()}
        words = "Jobs that are not done, by state: waiting, held (plugin off, or server left), running, dead."
        yield _by(GaugeMetricFamily, "jobs", words, ("plugin", "state"), values)
        yield _gauge("jobs_hung", "Jobs that go on although they were told to stop.", self._figures.jobs_hung)
        yield _gauge("jobs_lag_seconds", "How late the oldest waiting job is.", self._figures.lag)

    def _database(self) -> Iterator[Metric]:
        yield _gauge(
            "database_pending", "Calls that are queued or running now.", self._figures.database_pending
        )
        for name, value in self._figures.database.items():
            words, grows = _DATABASE[name]
            if grows:
                yield CounterMetricFamily(f"redlegion_database_{name}", words, value=value)
            else:
                yield _gauge(f"database_{name}_seconds", words, value)

    def _discord(self) -> Iterator[Metric]:
        figures = self._figures
        yield _by(
            GaugeMetricFamily,
            "gateway_latency_seconds",
            "Seconds between a heartbeat and its answer.",
            ("shard",),
            {(str(shard),): seconds for shard, seconds in figures.latencies.items()},
        )
        yield _gauge("gateway_shards_connected", "Shards that are connected now.", len(figures.connected))
        yield _gauge("guilds", "Guilds that Discord has sent.", figures.guilds)
        yield _gauge("guilds_failed", "Guilds that could not be opened.", figures.guilds_failed)
        yield CounterMetricFamily(
            "redlegion_voice_events", "Voice states that the gateway said.", value=figures.gateway_events
        )
        yield CounterMetricFamily(
            "redlegion_menu_calls", "Calls that sent a command menu.", value=figures.menu_calls
        )
        menus = {(status,): float(number) for status, number in figures.menus.items()}
        words = "Command menus that Discord has not taken: full (the day's budget is used up) or failing."
        yield _by(GaugeMetricFamily, "menus_troubled", words, ("status",), menus)
        words = "Commands made today in the one of those guilds that made most; Discord allows 200."
        yield _gauge("menu_budget_spent", words, figures.menu_spent)
        yield _gauge("voice_seats", "Voice channels in which the bot sits now.", figures.seats)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"redlegion_{name}", words, value=value)


def _by(
    family: type[GaugeMetricFamily] | type[CounterMetricFamily],
    name: str,
    words: str,
    labels: tuple[str, ...],
    values: Mapping[Any, float],
) -> Metric:
    made = family(f"redlegion_{name}", words, labels=labels)
    for key, value in values.items():
        made.add_metric(key, value)
    return made
