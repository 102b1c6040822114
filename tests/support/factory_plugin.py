"""A plugin that has one of everything, the library whose hooks it implements, and a helper of tests."""

from __future__ import annotations

#: Has one of everything that a plugin can have.
FACTORY = """
from pydantic import BaseModel

class Wishes(BaseModel):
    loudness: int = 3

bell = app_commands.Group(name="bell", description="x", guild_only=True)

@bell.command(name="ring", description="Ring it")
@requires("member")
async def ring(interaction: discord.Interaction, times: int, tone: str | None = None) -> None:
    await reply(interaction, "ding")

@ring.autocomplete("tone")
async def tones(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name="A", value="a")]

async def press(interaction, ctx, key):
    await reply(interaction, "pressed")

async def work(ctx, payload):
    pass

@hookimpl
def register_settings():
    return Wishes

@hookimpl
def register_commands():
    return [bell]

@hookimpl
def register_components():
    return [Component("press", press, "member"), Component("pull", press, "guest")]

@hookimpl
def register_jobs():
    return [Job("work", work), Job("rest", work)]

@hookimpl
def register_help():
    return [HelpTopic("bells", "About bells", "They ring.", rank="guest")]

@hookimpl
async def decide_tone(ctx, event):
    return None

@hookimpl
async def filter_tone(ctx, value, event):
    return value

@hookimpl
async def collect_tones(ctx, event):
    return ["a"]

@hookimpl
def register_tones():
    return ["a"]

@hookimpl
async def on_rang(ctx, event):
    assert event.guild_id == ctx.guild_id
"""
LISTENS = "\n".join(
    f"@hookimpl\nasync def {hook}(ctx, event):\n    assert event is not None\n"
    for hook in (
        "on_resync",
        "on_voice_session_started",
        "on_voice_session_moved",
        "on_voice_session_ended",
        "on_voice_state_changed",
        "on_member_roles_changed",
        "on_member_left",
        "on_channel_deleted",
        "on_channel_changed",
        "on_role_deleted",
        "on_scheduled_event_changed",
    )
)
SPECS = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Rang:
    guild_id: int

@hookspec
def register_tones():
    pass

@hookspec
async def decide_tone(ctx, event):
    pass

@hookspec
async def filter_tone(ctx, value, event):
    pass

@hookspec
async def collect_tones(ctx, event):
    pass

@hookspec
async def on_rang(ctx, event: Rang):
    pass

@hookimpl
def register_hookspecs():
    return sys.modules[__name__]
"""
#: A plugin of the test's own, always on: it opens forms in the name of others.
STAGEHAND = """
hand = app_commands.Group(name="stagehand", description="x", guild_only=True)

@hand.command(name="form", description="x")
@requires("guest")
async def form(interaction: discord.Interaction, name: str) -> None:
    modal = discord.ui.Modal(title="A form", custom_id=name)
    field = discord.ui.TextInput(custom_id="text", required=False)
    modal.add_item(discord.ui.Label(text="x", component=field))
    await interaction.response.send_modal(modal)

@hookimpl
def register_commands():
    return [hand]
"""
