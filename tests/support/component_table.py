"""How each component of the core and of our plugins is used: what kind it is, and keys that it can have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from support.forging import BUTTON, ROLE_SELECT, STRING_SELECT
from support.sunday_evening import GOLD, Evening

from core.commands.own import own_components
from core.commands.settings_form import marks_of
from core.guilds.ranks import Rank
from core.runtime import Runtime

FORM = 0
#: Keys of other versions, of nobody, and of somebody who tries.
NONSENSE_KEYS = ("", "x", "7.x.9", "-1", "9" * 19, "9" * 30, "payroll.99", "\u0663", "0.-5", "1.1.1.1")


@dataclass(frozen=True, slots=True)
class Part:
    """One button, select or form.

    :param kind: Discord's number of it; 0 for a form.
    :param key: the key that it has in a guild after an evening there.
    :param values: what is picked in a select.
    :param fields: what is typed into a form.
    :param framed: whether its message is made of components.
    """

    key: Callable[[Evening], str] = field(default=lambda _evening: "")
    kind: int = BUTTON
    values: Callable[[Evening], list[str]] = field(default=lambda _evening: [])
    fields: Mapping[str, str] = field(default_factory=dict)
    framed: bool = True


def _draft(tail: str = "", **more: Any) -> Part:
    return Part(lambda evening: f"{evening.draft}{tail}", **more)


def _fixed(key: str, **more: Any) -> Part:
    return Part(lambda _evening: key, **more)


_RATES = {"org_cut_bp": "10 %", "fee_bp": "0.5 %"}

#: By `plugin:action`, in an order in which each finds what it needs.
PARTS: dict[str, Part] = {
    "core:help": _fixed("0", framed=False),
    "core:audit_newer": _fixed("0.."),
    "core:audit_older": _fixed("1.payroll."),
    "core:set_page": _fixed("payroll.0"),
    "core:set_edit": _fixed("payroll.0"),
    "core:set_save": _fixed(f"payroll.{marks_of(_RATES)}", kind=FORM, fields={**_RATES, "fee_bp": "much"}),
    "core:set_again": _fixed("payroll.1"),
    "core:set_reset": _fixed("payroll.fee_bp"),
    "core:enable_needed": _fixed("payroll", framed=False),
    "core:rank_roles": _fixed("officer", kind=ROLE_SELECT),
    "core:rank_clear": _fixed(""),
    "payroll:event": _fixed("refined.", kind=STRING_SELECT, values=lambda evening: [str(evening.drafted)]),
    "payroll:ores": _draft(".0", kind=STRING_SELECT, values=lambda _evening: [GOLD]),
    "payroll:page": _draft(".1"),
    "payroll:edit": _draft(".0"),
    "payroll:quantities": _draft(".0"),
    "payroll:enter": _draft(kind=FORM, fields={GOLD: "8"}),
    "payroll:preview": _draft(),
    "payroll:prices": _draft(),
    "payroll:price": _draft(kind=FORM, fields={GOLD: "6000"}),
    "payroll:confirm": _draft(),
    "payroll:cancel": _draft(),
    "operations:voice_me": Part(lambda evening: f"{evening.paid}.0", framed=False),
    "operations:voice_member": Part(lambda evening: f"{evening.paid}.1428000000000000001.0", framed=False),
    "operations:voice_operation": Part(lambda evening: f"{evening.paid}.0", framed=False),
    "operations:voice_why": Part(lambda evening: f"{evening.paid}.1428000000000000001.0", framed=False),
    "operations:windows_edit": Part(
        lambda evening: f"{evening.running}.2.0.1788721200.1788721260.1", framed=False
    ),
    "operations:voice_void": _fixed("1428000000000000001", framed=False),
    "core:purge": _fixed("payroll", kind=FORM, fields={"name": "payroll"}),
    "core:privacy_forget": _fixed("1428000000000000001"),
}


def all_components(runtime: Runtime) -> dict[str, Rank]:
    """Return the least rank of every component that the running bot has, by `plugin:action`."""
    found = {f"core:{each.action}": Rank(each.rank) for each in own_components()}
    for name, loaded in runtime.manager.loaded.items():
        found |= {f"{name}:{action}": Rank(each.rank) for action, each in loaded.components.items()}
    return found
