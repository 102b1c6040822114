"""Plays a plot on a stage: people act, the connection drops, the bot is lost and comes back, pay is split."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.demo.narrator import Narrator
from sandbox.demo.payday import Payday
from sandbox.demo.plot import Act, Beat, Plot
from sandbox.demo.report import Operation, Participant, Report
from sandbox.server import Outcome, Person
from sandbox.server.channels import Channel
from sandbox.stage import Stage, open_stage

#: Lines of an answer that are shown.
LINES = 8
#: A Sunday evening; fixed, so that one seed always tells the same story.
SUNDAY = datetime(2026, 9, 6, 18, 0, tzinfo=UTC)


async def play(
    plot: Plot, told: Narrator, *, database_url: str, seed: int, members: int, channels: int
) -> Report:
    """Play the whole story and measure it.

    :param plot: what happens when.
    :param told: who tells it.
    :param database_url: an empty database of the bot.
    """
    async with open_stage(database_url, start=SUNDAY, members=members, channels=channels, seed=seed) as stage:
        return await Player(stage, plot, told).play(seed)


class Player:
    """One performance."""

    def __init__(self, stage: Stage, plot: Plot, told: Narrator) -> None:
        self.stage = stage
        self.scene = stage.scene
        self.plot = plot
        self.told = told
        self.start = stage.world.clock.now() + timedelta(seconds=300)
        self.moved_unseen: set[int] = set()
        self.last_seen: dict[int, int | None] | None = None
        self.gateway_events = 0
        self.hooks: Counter[str] = Counter()
        self.restarts = 0
        stage.world.log.on_entry(self._count)

    async def play(self, seed: int) -> Report:
        """Play every beat, then share the pay."""
        self.told.begin(
            self.plot.length,
            f"{self.scene.guild.name}: {len(self.scene.members)} members, "
            f"{len(self.scene.voice_channels)} voice channels, {self.plot.length / 60:.0f} minutes",
        )
        self._say("The bot connects to a Discord on loopback, through the real discord.py client.")
        await self.stage.start_bot()
        self._say("Topaz, an officer, names the channels of the weekly operation.")
        for channel in self.scene.voice_channels:
            await self._ask(
                self.scene.officer, "mining channels add", {"channel": str(channel.id)}, quiet=True
            )
        await self._ask(self.scene.officer, "mining channels list")
        for beat in self.plot.beats:
            await self._until(beat.at)
            self._note_outage(beat)
            before = [person.channel_id for person in self.scene.members]
            await self._perform(beat)
            self._note_unseen(beat, before)
        payday = Payday(self.stage, self.told, self.scene.officer)
        payroll = await payday.run(seed)
        self._keep_figures()
        return self._report(seed, payroll)

    async def _perform(self, beat: Beat) -> None:
        match beat.act:
            case Act.START:
                self._say("Topaz starts the operation; whoever sits there already counts from now.")
                await self._ask(self.scene.officer, "mining start")
            case Act.STOP:
                self._say("Topaz stops the operation; whoever still sits there counts up to now.")
                await self._ask(self.scene.officer, "mining stop")
            case Act.DROP:
                self._say(
                    f"[yellow]The gateway connection drops for {beat.seconds:.0f} s[/yellow]; events pile up."
                )
                self.stage.world.faults.drop_gateway(hold_seconds=beat.seconds, park=True)
            case Act.CRASH:
                self._say(
                    f"[red]The bot's process is lost[/red] and stays away for {beat.seconds:.0f} s; "
                    "the crew plays on."
                )
                self._keep_figures()
                await self.stage.kill_bot()
            case Act.RETURN:
                self.restarts += 1
                await self.stage.start_bot()
                sitting = len(self.stage.runtime.recorder.present_now(self.scene.guild.id))
                self._say(f"[green]The bot starts afresh[/green] and finds {sitting} members in voice.")
            case _:
                await self._move(beat, self.scene.members[beat.member or 0])

    async def _move(self, beat: Beat, person: Person) -> None:
        match beat.act:
            case Act.SIT:
                channel = self._elsewhere(beat, person)
                if person.channel_id is None:
                    await person.join(channel)
                elif person.channel_id != channel.id:
                    await person.move(channel)
            case Act.LOUNGE if not self._back_where_seen(person, self.scene.lounge.id):
                await self._go(person, self.scene.lounge)
            case Act.HUB:
                self._say(
                    f"{person.username} enters a join-to-create hub and lands in a channel made for them."
                )
                await self._go(person, self.scene.hub)
            case Act.LEAVE if person.channel_id is not None and not self._back_where_seen(person, None):
                await person.leave()
            case Act.DEAFEN | Act.UNDEAFEN if person.channel_id is not None:
                if beat.act is Act.DEAFEN:
                    self._say(f"{person.username} deafens; time in voice goes on.")
                await person.set_voice(self_deaf=beat.act is Act.DEAFEN)
            case _:
                pass

    def _elsewhere(self, beat: Beat, person: Person) -> Channel:
        """Return where to sit: not where the bot saw the member last, while it sees nothing.

        Who goes and comes back to the same channel during an outage looks like one who stayed: Discord says
        where people are, not since when. Every bot is blind to that, so the story leaves it out.
        """
        channels = self.scene.voice_channels
        wanted = beat.channel or 0
        if not self._back_where_seen(person, channels[wanted].id):
            return channels[wanted]
        return channels[(wanted + 1) % len(channels)] if len(channels) > 1 else self.scene.lounge

    def _back_where_seen(self, person: Person, channel_id: int | None) -> bool:
        return self.last_seen is not None and self.last_seen[person.id] == channel_id

    async def _go(self, person: Person, channel: Any) -> None:
        if person.channel_id is None:
            await person.join(channel)
        else:
            await person.move(channel)

    def _note_outage(self, beat: Beat) -> None:
        if not self.plot.in_outage(beat.at):
            self.last_seen = None
        elif self.last_seen is None:
            self.last_seen = {person.id: person.channel_id for person in self.scene.members}

    def _note_unseen(self, beat: Beat, before: list[int | None]) -> None:
        if beat.member is not None and self.plot.in_outage(beat.at):
            person = self.scene.members[beat.member]
            if person.channel_id != before[beat.member]:
                self.moved_unseen.add(person.id)

    async def _until(self, at: float) -> None:
        left = (self.start + timedelta(seconds=at) - self.stage.world.clock.now()).total_seconds()
        if left > 0:
            await self.stage.advance(left)
        rooms = Counter(person.channel_id for person in self.scene.members)
        crew = sum(rooms[channel.id] for channel in self.scene.voice_channels)
        self.told.progress(at, f"{crew} mining, {rooms[None]} elsewhere")

    async def _ask(
        self, person: Person, command: str, options: dict[str, Any] | None = None, *, quiet: bool = False
    ) -> None:
        outcome = await self.stage.slash(person, command, options)
        message = await answer_of(outcome)
        if not quiet:
            for line in self._readable(message)[:LINES]:
                self.told.heard(f"/{command}:", line)

    def _readable(self, message: dict[str, Any]) -> list[str]:
        """Return the lines of a message as a person sees them, channels by their names."""
        names = {str(c.id): c.name for c in (*self.scene.voice_channels, self.scene.text, self.scene.general)}
        text = re.sub(r"<#(\d+)>", lambda found: f"#{names.get(found[1], found[1])}", words_of(message))
        return [line for line in text.splitlines() if line.strip()]

    def _say(self, words: str) -> None:
        self.told.say(self.stage.world.clock.now(), words)

    def _count(self, entry: dict[str, Any]) -> None:
        if entry.get("kind") == "gateway" and entry.get("direction") == "out" and entry.get("op") == 0:
            self.gateway_events += 1

    def _keep_figures(self) -> None:
        for (plugin, hook), count in self.stage.runtime.dispatcher.delivered.items():
            self.hooks[f"{plugin}.{hook}"] += count

    def _report(self, seed: int, payroll: Any) -> Report:
        operation = payroll.operation
        window = [(operation.started_at, operation.ended_at)]
        tracked = [channel.id for channel in self.scene.voice_channels]
        guild_id = self.scene.guild.id
        people = [
            Participant(
                user_id=str(slip.user_id),
                name=slip.name,
                seconds=slip.seconds,
                truth_seconds=round(
                    self.stage.world.truth.seconds(guild_id, slip.user_id, tracked, window), 3
                ),
                estimated=slip.estimated,
                moved_unseen=slip.user_id in self.moved_unseen,
                gross=slip.gross,
                net=slip.net,
            )
            for slip in payroll.sheet.payslips
        ]
        sums = payroll.sheet
        return Report(
            seed=seed,
            operation=Operation(
                str(operation.id),
                operation.title,
                operation.started_at.isoformat(),
                operation.ended_at.isoformat(),
            ),
            participants=people,
            payroll_id=payroll.payroll_id,
            gross=sums.gross,
            expenses=sums.expenses,
            org_cut=sums.org_cut,
            fees=sums.fees,
            payouts_total=sums.payouts_total,
            gateway_events=self.gateway_events,
            hooks_delivered=sum(self.hooks.values()),
            restarts=self.restarts,
            downtime_seconds=round(sum(end - begin for begin, end in self.plot.outages), 3),
            pdf=payroll.pdf,
            csv=payroll.csv,
        )


async def answer_of(outcome: Outcome) -> dict[str, Any]:
    """Return the message that an interaction ended with."""
    if outcome.kind == "deferred":
        return await outcome.final()
    return outcome.message or {}


def words_of(message: dict[str, Any]) -> str:
    """Return what a person reads in a message: its text and its embeds."""
    found = [str(message.get("content") or "")]
    for embed in message.get("embeds", ()):
        found += [str(embed.get("title") or ""), str(embed.get("description") or "")]
    return "\n".join(text for text in found if text).replace("**", "")
