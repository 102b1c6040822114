// An ordinary discord.js bot. What makes it one of the sandbox is `rest.api` alone:
// the library learns the gateway's address from there.
import {
  ActionRowBuilder, ApplicationCommandOptionType, AttachmentBuilder, ButtonBuilder, ButtonStyle, Client,
  GatewayIntentBits, MessageFlags, ModalBuilder, Partials, StringSelectMenuBuilder, TextInputBuilder,
  TextInputStyle,
} from "discord.js";

const string = (name, more = {}) => ({ name, description: name, type: ApplicationCommandOptionType.String, ...more });

export const commands = [
  {
    name: "mining",
    description: "Mining",
    options: [
      {
        name: "start",
        description: "Start a session",
        type: ApplicationCommandOptionType.Subcommand,
        options: [
          string("title", { required: true, autocomplete: true }),
          { name: "crew", description: "How many", type: ApplicationCommandOptionType.Integer, min_value: 1 },
          { name: "pilot", description: "Who flies", type: ApplicationCommandOptionType.User },
          { name: "where", description: "Channel", type: ApplicationCommandOptionType.Channel },
        ],
      },
      { name: "report", description: "A file", type: ApplicationCommandOptionType.Subcommand },
    ],
  },
  { name: "ping", description: "Answer at once" },
];

export function makeBot(where) {
  const client = new Client({
    intents: Object.values(GatewayIntentBits).filter((bit) => typeof bit === "number"),
    partials: [Partials.Channel, Partials.Message, Partials.Reaction],
    rest: { api: where.rest.replace(/\/v\d+$/, "") },
  });
  client.on("interactionCreate", (interaction) => answer(interaction).catch((error) => client.emit("error", error)));
  return client;
}

async function answer(interaction) {
  if (interaction.isAutocomplete()) {
    const typed = interaction.options.getFocused();
    await interaction.respond([{ name: `${typed} run`, value: `${typed} run` }]);
  } else if (interaction.isChatInputCommand() && interaction.commandName === "ping") {
    await interaction.reply({ content: "pong", flags: MessageFlags.Ephemeral });
  } else if (interaction.isChatInputCommand() && interaction.options.getSubcommand() === "start") {
    await start(interaction);
  } else if (interaction.isChatInputCommand() && interaction.options.getSubcommand() === "report") {
    await interaction.deferReply();
    const file = new AttachmentBuilder(Buffer.from("ore;1\n"), { name: "report.csv" });
    await interaction.editReply({ content: "Here it is", files: [file] });
    await interaction.followUp("That is all");
  } else if (interaction.isButton() && interaction.customId === "form") {
    const amount = new TextInputBuilder().setCustomId("amount").setLabel("Amount").setStyle(TextInputStyle.Short);
    const form = new ModalBuilder().setCustomId("haul").setTitle("Haul");
    await interaction.showModal(form.addComponents(new ActionRowBuilder().addComponents(amount)));
  } else if (interaction.isStringSelectMenu() && interaction.customId === "ore") {
    await interaction.update({ content: `${interaction.values[0]} it is`, components: [] });
  } else if (interaction.isModalSubmit() && interaction.customId === "haul") {
    await interaction.reply(`${interaction.fields.getTextInputValue("amount")} SCU`);
  }
}

async function start(interaction) {
  const { options } = interaction;
  const pilot = options.getMember("pilot")?.displayName;
  const words = [options.getString("title"), options.getInteger("crew"), pilot, options.getChannel("where")?.name];
  const form = new ButtonBuilder().setCustomId("form").setLabel("Fill in").setStyle(ButtonStyle.Primary);
  const ore = new StringSelectMenuBuilder().setCustomId("ore");
  ore.addOptions(["Gold", "Tin"].map((each) => ({ label: each, value: each })));
  await interaction.reply({
    content: words.join(", "),
    components: [form, ore].map((part) => new ActionRowBuilder().addComponents(part)),
  });
}
