// What discord.js' own guide leads through after the first commands: collectors, menus of each kind,
// context menus, components V2, forms with labels, webhooks, pins, direct messages, presence.
import assert from "node:assert/strict";
import {
  ActionRowBuilder, ActivityType, ApplicationCommandType, ButtonBuilder, ButtonStyle, ChannelSelectMenuBuilder,
  ChannelType, ComponentType, ContainerBuilder, Events, FileUploadBuilder, LabelBuilder, MentionableSelectMenuBuilder,
  MessageFlags, ModalBuilder, PermissionFlagsBits, RoleSelectMenuBuilder, SectionBuilder, StringSelectMenuBuilder,
  TextDisplayBuilder, TextInputBuilder, TextInputStyle, UserSelectMenuBuilder,
} from "discord.js";

const row = (...parts) => new ActionRowBuilder().addComponents(...parts);

export async function playGuide({ client, guild, check, heard, said, control, act, text, member, channel, officer }) {
  const target = client.channels.cache.get(text);
  const messages = () => control(`/channels/${text}/messages`);

  await check("collector: confirm, then disabled", async () => {
    const button = new ButtonBuilder().setCustomId("yes").setLabel("Yes").setStyle(ButtonStyle.Success);
    const asked = await target.send({ content: "Sure?", components: [row(button)] });
    const filter = (one) => one.user.id === member.id;
    const pressed = asked.awaitMessageComponent({ filter, componentType: ComponentType.Button, time: 5_000 });
    const told = control(`${act}/click`, { message_id: asked.id, custom_id: "yes" });
    await (await pressed).update({ content: "Sure!", components: [row(button.setDisabled(true))] });
    assert.equal((await told).message.components[0].components[0].disabled, true);
  });
  await check("menus of members, roles, both, and channels", async () => {
    const menus = [
      new UserSelectMenuBuilder().setCustomId("user"),
      new RoleSelectMenuBuilder().setCustomId("role"),
      new MentionableSelectMenuBuilder().setCustomId("both").setMaxValues(2),
      new ChannelSelectMenuBuilder().setCustomId("place").addChannelTypes(ChannelType.GuildVoice),
    ];
    const shown = await target.send({ content: "Pick", components: menus.map((one) => row(one)) });
    const collector = shown.createMessageComponentCollector({ time: 10_000 });
    collector.on("collect", async (one) => {
      const found = ["members", "roles", "channels"].flatMap((kind) => [...(one[kind]?.values() ?? [])]);
      await one.reply(found.map((each) => each.displayName ?? each.name).join(" and "));
    });
    for (const [custom_id, values, words] of [
      ["user", [member.id], "Quartz"], ["role", [officer], "Officer"],
      ["both", [member.id, officer], "Quartz and Officer"], ["place", [channel("Alpha")], "Alpha"],
    ]) {
      const picked = await control(`${act}/choose`, { message_id: shown.id, custom_id, values });
      assert.match(picked.message.content, new RegExp(`^${words.split(" ")[0]}`));
      assert.ok(picked.message.content.endsWith(words.split(" ").at(-1)), picked.message.content);
    }
    collector.stop();
  });
  await check("context menus of a member and a message", async () => {
    await guild.commands.set([
      { name: "Who is it", type: ApplicationCommandType.User },
      { name: "Quote", type: ApplicationCommandType.Message },
    ]);
    const answer = (one) =>
      one.isUserContextMenuCommand() ? one.reply(one.targetMember.displayName)
        : one.isMessageContextMenuCommand() ? one.reply(`> ${one.targetMessage.content}`) : undefined;
    client.on(Events.InteractionCreate, answer);
    const who = { channel_id: text, command: "Who is it", user_id: member.id };
    assert.match((await control(`${act}/context`, who)).message.content, /Quartz/);
    const vein = await control(`${act}/messages`, { channel_id: text, content: "Rich vein" });
    const quoted = await control(`${act}/context`, { command: "Quote", message_id: vein.id });
    assert.equal(quoted.message.content, "> Rich vein");
    client.off(Events.InteractionCreate, answer);
    await guild.commands.set([]);
  });
  await check("components V2 and a form with labels", async () => {
    const open = new ButtonBuilder().setCustomId("open").setLabel("Report").setStyle(ButtonStyle.Primary);
    const section = new SectionBuilder().setButtonAccessory(open);
    section.addTextDisplayComponents(new TextDisplayBuilder().setContent("# Haul"));
    const shown = await target.send({
      flags: MessageFlags.IsComponentsV2,
      components: [new ContainerBuilder().setAccentColor(0xcc9900).addSectionComponents(section)],
    });
    const amount = new TextInputBuilder().setCustomId("amount").setStyle(TextInputStyle.Paragraph);
    const ore = new StringSelectMenuBuilder().setCustomId("kind").addOptions({ label: "Gold", value: "gold" });
    const form = new ModalBuilder().setCustomId("report").setTitle("Report").addLabelComponents(
      new LabelBuilder().setLabel("Amount").setDescription("In SCU").setTextInputComponent(amount),
      new LabelBuilder().setLabel("Ore").setStringSelectMenuComponent(ore),
      new LabelBuilder().setLabel("Receipt").setFileUploadComponent(new FileUploadBuilder().setCustomId("file")),
    );
    const pressed = shown.awaitMessageComponent({ time: 5_000 });
    const opening = control(`${act}/click`, { message_id: shown.id, custom_id: "open" });
    const opener = await pressed;
    await opener.showModal(form);
    const sent = opener.awaitModalSubmit({ time: 5_000, filter: (one) => one.customId === "report" });
    const file = { filename: "receipt.txt", data: Buffer.from("12").toString("base64") };
    const values = { amount: "12", kind: ["gold"], file: [file] };
    const told = control(`${act}/submit`, { interaction_id: (await opening).interaction_id, values });
    const filled = await sent;
    const words = [
      filled.fields.getTextInputValue("amount"), filled.fields.getStringSelectValues("kind")[0],
      filled.fields.getUploadedFiles("file").first().name,
    ];
    assert.deepEqual(words, ["12", "gold", "receipt.txt"]);
    await filled.deferUpdate();
    await told;
    return words.join(", ");
  });
  await check("typing, pin, forward", async () => {
    const asked = await target.send("Read this");
    await target.sendTyping();
    await heard(Events.ChannelPinsUpdate, () => asked.pin());
    assert.equal((await target.messages.fetchPins()).items.length, 1);
    await asked.unpin();
    const copied = await asked.forward(channel("general"));
    assert.equal(copied.reference.messageId, asked.id);
  });
  await check("direct message, both ways", async () => {
    const quartz = guild.members.cache.get(member.id);
    const [direct] = await heard(Events.MessageCreate, () => quartz.send("Psst"), said("Psst"));
    assert.equal(direct.inGuild(), false);
    const back = () => control(`${act}/direct`, { content: "What?" });
    const [reply] = await heard(Events.MessageCreate, back, said("What?"));
    assert.deepEqual([reply.content, reply.channelId], ["What?", direct.channelId]);
  });
  await check("many messages, fetched by page, deleted at once", async () => {
    for (let number = 0; number < 5; number += 1) await target.send(`Line ${number}`);
    const last = await target.messages.fetch({ limit: 3 });
    assert.deepEqual(last.map((one) => one.content), ["Line 4", "Line 3", "Line 2"]);
    const [gone] = await heard(Events.MessageBulkDelete, () => target.bulkDelete(5));
    assert.equal(gone.size, 5);
    assert.ok(!(await messages()).some((one) => one.content.startsWith("Line")));
  });
  await check("presence, permissions, own nickname", async () => {
    client.user.setPresence({ activities: [{ name: "rocks", type: ActivityType.Watching }], status: "dnd" });
    const mine = guild.members.me;
    assert.ok(target.permissionsFor(mine).has(PermissionFlagsBits.SendMessages));
    assert.ok(!mine.permissions.has(PermissionFlagsBits.BanMembers));
    const [, after] = await heard(Events.GuildMemberUpdate, () => mine.setNickname("Foreman"));
    assert.equal(after.nickname, "Foreman");
    await mine.setNickname(null);
  });
  await check("voice: moved, thrown out by a moderator", async () => {
    const people = guild.members.cache.get(member.id).voice;
    const sit = () => control(`${act}/voice`, { channel_id: channel("Dispatch") });
    await heard(Events.VoiceStateUpdate, sit);
    await heard(Events.VoiceStateUpdate, () => people.setChannel(channel("Bravo")));
    const [, out] = await heard(Events.VoiceStateUpdate, () => people.disconnect());
    assert.equal(out.channelId, null);
    await heard(Events.VoiceStateUpdate, sit);
  });
}
