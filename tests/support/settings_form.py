"""A plugin with a setting of every kind, and what an admin does with its panel and forms."""

from __future__ import annotations

from typing import Any

from support.panels import text_of

from core.database import AuditEntry, GuildPlugin
from sandbox.server import Outcome, Person
from sandbox.stage import Stage

ORE = """
from datetime import timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Literal
from pydantic import BaseModel, Field, field_validator, model_validator

HEARD = []

class Mode(Enum):
    CALM = "calm"
    WILD = "wild"

class Level(IntEnum):
    LOW = 1
    VERY_HIGH = 2

class Claim(BaseModel):
    sector: str
    depth: int = 1

class Ore(BaseModel):
    '''What can be set.

    :param amount: how much ore
        makes a load.
    '''

    amount: int = Field(default=10, ge=1, lt=10_001)
    rate: float = Field(default=1.5, gt=0)
    price: Decimal = Field(default=Decimal("2.50"), ge=0)
    loud: bool = False
    quiet: bool | None = None
    mode: Mode = Mode.CALM
    level: Level = Level.LOW
    place: Literal["belt", "moon"] = "belt"
    modes: list[Mode] = []
    pause: timedelta = Field(default=timedelta(minutes=5), ge=timedelta(seconds=1), le=timedelta(days=2))
    motto: str = Field("Dig", title="Words to live by", description="Shown everywhere", max_length=300)
    nickname: str | None = Field(default=None, min_length=2)
    boss: Annotated[int, RoleId] | None = None
    crew: list[Annotated[int, RoleId]] = []
    room: Annotated[int, ChannelId("text")] | None = None
    rooms: list[Annotated[int, ChannelId]] = Field(default=[], max_length=3)
    ores: list[str] = ["gold", "tin"]
    sizes: set[int] = set()
    claim: Claim = Claim(sector="7G")
    table: dict[str, int] = {}
    limit_low: int = 1
    limit_high: int = 5

    @field_validator("motto")
    @classmethod
    def _kind(cls, value):
        if "rude" in value:
            raise ValueError("be kinder.")
        return value

    @model_validator(mode="after")
    def _order(self):
        if self.limit_low > self.limit_high:
            raise ValueError("limit low must not be above limit high")
        return self

@hookimpl
def register_settings():
    return Ore

@hookimpl
async def on_resync(ctx, event):
    HEARD.append((ctx.guild_id, event.reason, ctx.settings.amount))
"""


async def panel(stage: Stage, plugin: str = "ore", person: Person | None = None) -> Any:
    outcome = await stage.slash(person or stage.scene.owner, "plugins settings", {"plugin": plugin})
    return outcome.message


async def act(stage: Stage, waiting: Any) -> Outcome:
    outcome: Outcome = await waiting
    await stage.settle()
    return outcome


async def opened(stage: Stage, page: int, plugin: str = "ore", person: Person | None = None) -> Outcome:
    """A form of the panel, by its number."""
    owner = person or stage.scene.owner
    message = await panel(stage, plugin, owner)
    for turn in range(page // 2):
        assert message is not None
        message = (await act(stage, owner.click(message["id"], f"core:set_page:{plugin}.{turn + 1}"))).message
    return await act(stage, owner.click(message["id"], f"core:set_edit:{plugin}.{page}"))


async def entered(stage: Stage, page: int, values: dict[str, Any], plugin: str = "ore") -> str:
    form = await opened(stage, page, plugin)
    assert form.modal is not None
    return text_of((await sent(stage, form, values)).message)


async def sent(stage: Stage, form: Outcome, values: dict[str, Any], person: Person | None = None) -> Outcome:
    """What the bot answers to a filled form."""
    assert form.interaction_id is not None
    return await act(stage, (person or stage.scene.owner).submit(form.interaction_id, values))


def raw(guild_id: int, plugin: str = "ore") -> Any:
    return GuildPlugin.get(GuildPlugin.guild_id == guild_id, GuildPlugin.plugin == plugin).settings


def write_raw(guild_id: int, value: Any, plugin: str = "ore") -> None:
    GuildPlugin.update(settings=value).where(
        GuildPlugin.guild_id == guild_id, GuildPlugin.plugin == plugin
    ).execute()


def changes(guild_id: int) -> list[tuple[Any, ...]]:
    rows: Any = AuditEntry.select(AuditEntry.actor_id, AuditEntry.target, AuditEntry.before, AuditEntry.after)
    wanted = (AuditEntry.guild_id == guild_id) & (AuditEntry.action == "settings.change")
    return list(rows.where(wanted).order_by(AuditEntry.id).tuples())


def role_of(person: Person) -> int:
    """The id of the person's first role."""
    return int(person.member.roles[0])


def now(stage: Stage, name: str) -> Any:
    """A setting as it is in effect."""
    return getattr(stage.runtime.guilds.plugin_settings(stage.scene.guild.id, "ore"), name)
