"""Tests that only `make soak` runs, because they take long and a shorter one beside them guards the same."""

from __future__ import annotations

#: Parts of test ids.
LONG = (
    "test_benchmarks_quick.py::test_a_tiny_run",
    "test_core_isolation.py::test_a_write_without_end_holds_up_its_own_guild_only_so_long[sqlite]",
    "test_core_menus.py::test_the_days_budget",
    "test_core_opening_ahead.py::test_menus_of_a_first_start",
    "test_core_other_guild.py::test_options_with_what_is_another_guilds",
    "test_database_backup.py::test_memory_does_not_grow",
    "test_demo.py::test_other_sizes",
    "test_voice_seat_soak.py::test_joins_with_up_to_two_faults_each[20 joins]",
)
#: Modules that play whole stories through the client: on SQLite always, on PostgreSQL in `make soak`.
STORIES = (
    "test_backup_command.py",
    "test_core_audit.py",
    "test_core_every_plugin.py",
    "test_core_privacy.py",
    "test_core_purge.py",
    "test_core_ranks.py",
    "test_core_settings.py",
    "test_core_settings_form.py",
    "test_payroll_forgetting.py",
    "test_payroll_purge.py",
)


def is_long(node_id: str) -> bool:
    """Say whether a test is left to `make soak`."""
    module = node_id.partition("::")[0].rpartition("/")[2]
    return any(part in node_id for part in LONG) or (module in STORIES and "[postgresql" in node_id)
