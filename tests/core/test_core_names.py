"""What a guild calls somebody is that guild's own."""

from __future__ import annotations

from pathlib import Path

from core.database import User
from sandbox.stage import open_stage


async def test_a_nickname_stays_in_its_guild(tmp_path: Path) -> None:
    async with open_stage(f"sqlite:///{tmp_path / 'bot.sqlite3'}") as stage:
        await stage.start_bot()
        quartz = stage.scene.members[0]
        quartz.member.nick = "Boss of A"
        await quartz.join(stage.scene.voice_channels[0])
        await stage.settle()
        await stage.slash(quartz, "plugins list")
        names = await stage.runtime.db.read(lambda: dict(User.select(User.id, User.name).tuples()))
        user = quartz.member.user
        assert names[user.id] == (user.global_name or user.username)
