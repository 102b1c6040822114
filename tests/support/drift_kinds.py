"""The kinds of drift: how each is made by hand, and how it is named."""

from __future__ import annotations

from support.drift_making import Change, constraint, each, invalid, rebuilt, renamed_index

MEMBERSHIPS = "guild_memberships"
FOREIGN = "foreign key (user_id) to users (id)"
FUNCTION = "CREATE FUNCTION drift_nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
TRIGGER = "CREATE TRIGGER odd BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION drift_nothing()"
STATES = "'waiting', 'running', 'done', 'dead'"
DUE_INDEX = "CREATE INDEX jobs_state_due ON jobs USING btree (state, due)"
KEPT, LATE = "ON DELETE RESTRICT", "DEFERRABLE INITIALLY DEFERRED"
OTHER_STATES = STATES.replace("dead", "deaf")
STATES_CHECK = "CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'done'::text, 'dead'::text])))"

#: What is found, line by line; "..." at its end stands for more.
Lines = tuple[str, ...]
#: Kind of drift: how it is made on SQLite, how on PostgreSQL (None: there it cannot be, or the models have
#: nothing of the sort), and what is found; twice where the two databases differ in words.
KINDS: dict[
    str, tuple[Change | None, Change | None, Lines] | tuple[Change | None, Change | None, Lines, Lines]
] = {
    "table missing": (
        "DROP TABLE command_menus",
        "DROP TABLE command_menus",
        ("command_menus: the table is missing",),
    ),
    "table added": (
        "CREATE TABLE stranger (x int)",
        "CREATE TABLE stranger (x int)",
        ("stranger: the table is in no model",),
    ),
    "table renamed": (
        "ALTER TABLE command_menus RENAME TO menus",
        "ALTER TABLE command_menus RENAME TO menus",
        ("command_menus: the table is missing", "menus: the table is in no model"),
    ),
    "column missing": (
        "ALTER TABLE users DROP COLUMN name",
        "ALTER TABLE users DROP COLUMN name",
        ("users.name: the column is missing",),
    ),
    "column added": (
        "ALTER TABLE users ADD COLUMN extra TEXT",
        "ALTER TABLE users ADD COLUMN extra TEXT",
        ("users.extra: the column is in no model",),
    ),
    "column renamed": (
        "ALTER TABLE users RENAME COLUMN name TO nick",
        "ALTER TABLE users RENAME COLUMN name TO nick",
        ("users.name: the column is missing", "users.nick: the column is in no model"),
    ),
    "type": (
        rebuilt("audit_log", ('"action" TEXT', '"action" BLOB')),
        "ALTER TABLE audit_log ALTER action TYPE varchar",
        ("audit_log.action: type is BLOB, the models say TEXT",),
        ("audit_log.action: type is character varying, the models say text",),
    ),
    "length": (
        rebuilt("audit_log", ('"action" TEXT', '"action" VARCHAR(20)'), (" STRICT", "")),
        "ALTER TABLE audit_log ALTER action TYPE varchar(20)",
        (
            "audit_log.action: type is VARCHAR(20), the models say TEXT",
            "audit_log: STRICT is no, the models say yes",
        ),
        ("audit_log.action: type is character varying(20), the models say text",),
    ),
    "int instead of bigint": (
        None,
        f"ALTER TABLE {MEMBERSHIPS} ALTER guild_id TYPE integer",
        (f"{MEMBERSHIPS}.guild_id: type is integer, the models say bigint",),
    ),
    "NOT NULL added": (
        rebuilt(MEMBERSHIPS, ('"rank" TEXT', '"rank" TEXT NOT NULL')),
        f"ALTER TABLE {MEMBERSHIPS} ALTER rank SET NOT NULL",
        (f"{MEMBERSHIPS}.rank: null is not allowed, the models say allowed",),
    ),
    "NOT NULL removed": (
        rebuilt("users", ('"name" TEXT NOT NULL', '"name" TEXT')),
        "ALTER TABLE users ALTER name DROP NOT NULL",
        ("users.name: null is allowed, the models say not allowed",),
    ),
    "default added": (
        rebuilt("users", ('"name" TEXT NOT NULL', "\"name\" TEXT NOT NULL DEFAULT 'x'")),
        "ALTER TABLE users ALTER name SET DEFAULT 'x'",
        ("users.name: default is 'x', the models say none",),
        ("users.name: default is 'x'::text, the models say none",),
    ),
    "default missing": (
        None,
        "ALTER TABLE audit_log ALTER id DROP DEFAULT",
        ("audit_log.id: default is none, the models say nextval('audit_log_id_seq'::regclass)",),
    ),
    "default changed": (
        None,
        "ALTER TABLE audit_log ALTER id SET DEFAULT 7",
        ("audit_log.id: default is 7, the models say nextval('audit_log_id_seq'::regclass)",),
    ),
    "CHECK missing": (
        rebuilt("jobs", (f', CONSTRAINT "jobs_state" CHECK ("state" IN ({STATES}))', "")),
        "ALTER TABLE jobs DROP CONSTRAINT jobs_state",
        (f"jobs: check (state IN ({STATES})) is missing",),
        (f"jobs: {STATES_CHECK} is missing",),
    ),
    "CHECK changed": (
        rebuilt("jobs", (STATES, OTHER_STATES)),
        [
            "ALTER TABLE jobs DROP CONSTRAINT jobs_state",
            f"ALTER TABLE jobs ADD CONSTRAINT jobs_state CHECK (state IN ({OTHER_STATES}))",
        ],
        (
            f"jobs: check (state IN ({STATES})) is missing",
            f"jobs: check (state IN ({OTHER_STATES})) is in no model",
        ),
        (
            f"jobs: {STATES_CHECK} is missing",
            f"jobs: {STATES_CHECK.replace('dead', 'deaf')} is in no model",
        ),
    ),
    "CHECK added": (
        rebuilt("users", ('"name" TEXT NOT NULL', '"name" TEXT NOT NULL CHECK (length("name") < 9)')),
        "ALTER TABLE users ADD CHECK (length(name) < 9)",
        ("users: check (length(name) < 9) is in no model",),
        ("users: CHECK ((length(name) < 9)) is in no model",),
    ),
    "CHECK not valid": (
        None,
        [
            "ALTER TABLE jobs DROP CONSTRAINT jobs_state",
            f"ALTER TABLE jobs ADD CONSTRAINT jobs_state CHECK (state IN ({STATES})) NOT VALID",
        ],
        (f"jobs: {STATES_CHECK} is missing", f"jobs: {STATES_CHECK} NOT VALID is in no model"),
    ),
    "foreign key missing": (
        rebuilt(MEMBERSHIPS, (', FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE RESTRICT', "")),
        constraint(MEMBERSHIPS, "REFERENCES users"),
        (f"{MEMBERSHIPS}: {FOREIGN} is missing",),
    ),
    "foreign key to another table": (
        rebuilt(MEMBERSHIPS, ('REFERENCES "users"', 'REFERENCES "guilds"')),
        each(
            constraint(MEMBERSHIPS, "REFERENCES users"),
            f"ALTER TABLE {MEMBERSHIPS} ADD FOREIGN KEY (user_id) REFERENCES guilds (id) ON DELETE RESTRICT",
        ),
        (
            f"{MEMBERSHIPS}: {FOREIGN} is missing",
            f"{MEMBERSHIPS}: foreign key (user_id) to guilds (id) is in no model",
        ),
    ),
    "foreign key that deletes": (
        rebuilt(MEMBERSHIPS, ('"users" ("id") ON DELETE RESTRICT', '"users" ("id") ON DELETE CASCADE')),
        each(
            constraint(MEMBERSHIPS, "REFERENCES users"),
            f"ALTER TABLE {MEMBERSHIPS} ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE",
        ),
        (f"{MEMBERSHIPS}: {FOREIGN} is ON DELETE CASCADE, the models say ON DELETE RESTRICT",),
    ),
    "foreign key that updates": (
        rebuilt(MEMBERSHIPS, ('"users" ("id")', '"users" ("id") ON UPDATE CASCADE')),
        each(
            constraint(MEMBERSHIPS, "REFERENCES users"),
            f"ALTER TABLE {MEMBERSHIPS} ADD FOREIGN KEY (user_id) REFERENCES users (id)"
            " ON UPDATE CASCADE ON DELETE RESTRICT",
        ),
        (f"{MEMBERSHIPS}: {FOREIGN} is ON UPDATE CASCADE {KEPT}, the models say {KEPT}",),
    ),
    "foreign key added": (
        rebuilt(
            "voice_sessions",
            ('"user_id" INTEGER NOT NULL', '"user_id" INTEGER NOT NULL REFERENCES users (id)'),
        ),
        "ALTER TABLE voice_sessions ADD FOREIGN KEY (user_id) REFERENCES users (id)",
        ("voice_sessions: foreign key (user_id) to users (id) is in no model",),
    ),
    "foreign key looked at late": (
        rebuilt(
            MEMBERSHIPS,
            (
                '"users" ("id") ON DELETE RESTRICT',
                '"users" ("id") ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED',
            ),
        ),
        f"ALTER TABLE {MEMBERSHIPS} ALTER CONSTRAINT {MEMBERSHIPS}_user_id_fkey {LATE}",
        (f"{MEMBERSHIPS}: {LATE} in FOREIGN KEY (user_id) REFERENCES users...",),
        (f"{MEMBERSHIPS}: {FOREIGN} is {KEPT} {LATE}, the models say {KEPT}",),
    ),
    "foreign keys switched off": (
        None,
        f"ALTER TABLE {MEMBERSHIPS} DISABLE TRIGGER ALL",
        (f"{MEMBERSHIPS}: foreign keys is not enforced, the models say enforced",),
    ),
    "index missing": (
        "DROP INDEX jobs_state_due",
        "DROP INDEX jobs_state_due",
        ("jobs: index jobs_state_due is missing",),
    ),
    "index added": (
        "CREATE INDEX slow ON users (name)",
        "CREATE INDEX slow ON users (name)",
        ("users: index slow is in no model",),
    ),
    "index re-ordered": (
        renamed_index("jobs", "jobs_state_due", "INDEX (due, state)"),
        renamed_index("jobs", "jobs_state_due", "INDEX (due, state)"),
        ("jobs: index jobs_state_due is ...",),
    ),
    "index descending": (
        renamed_index("jobs", "jobs_state_due", "INDEX (state, due DESC)"),
        renamed_index("jobs", "jobs_state_due", "INDEX (state, due DESC)"),
        ("jobs: index jobs_state_due is ...",),
    ),
    "index no longer unique": (
        renamed_index("guild_plugins", "guild_plugins_guild_id_plugin", "INDEX (guild_id, plugin)"),
        renamed_index("guild_plugins", "guild_plugins_guild_id_plugin", "INDEX (guild_id, plugin)"),
        ("guild_plugins: index guild_plugins_guild_id_plugin is ...",),
    ),
    "index without its predicate": (
        renamed_index("voice_sessions", "voice_sessions_one_open", "UNIQUE INDEX (guild_id, user_id)"),
        renamed_index("voice_sessions", "voice_sessions_one_open", "UNIQUE INDEX (guild_id, user_id)"),
        ("voice_sessions: index voice_sessions_one_open is ...",),
    ),
    "index with another predicate": (
        renamed_index(
            "voice_sessions",
            "voice_sessions_one_open",
            'UNIQUE INDEX (guild_id, user_id) WHERE "left" IS NOT NULL',
        ),
        renamed_index(
            "voice_sessions",
            "voice_sessions_one_open",
            'UNIQUE INDEX (guild_id, user_id) WHERE "left" IS NOT NULL',
        ),
        ("voice_sessions: index voice_sessions_one_open is ...",),
    ),
    "index of another kind": (
        None,
        renamed_index(
            "guild_ranks",
            "guild_ranks_guild_id_role_id",
            "UNIQUE INDEX (guild_id, role_id) NULLS NOT DISTINCT",
        ),
        ("guild_ranks: index guild_ranks_guild_id_role_id is ...",),
    ),
    "index that is invalid": (
        None,
        invalid("jobs_state_due"),
        (f"jobs: index jobs_state_due is {DUE_INDEX} (invalid), the models say {DUE_INDEX}",),
    ),
    "UNIQUE added": (
        rebuilt("users", ('"name" TEXT NOT NULL', '"name" TEXT NOT NULL UNIQUE')),
        "ALTER TABLE users ADD UNIQUE (name)",
        ("users: unique (name) is in no model",),
        ("users: UNIQUE (name) is in no model",),
    ),
    "primary key missing": (
        rebuilt("users", (" PRIMARY KEY", "")),
        "ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE",
        ("users: primary key is none, the models say id",),
        (f"{MEMBERSHIPS}: {FOREIGN} is missing", "users: primary key is missing"),
    ),
    "primary key of other columns": (
        rebuilt(
            "shard_heartbeats",
            (" PRIMARY KEY", ""),
            ('"owner" TEXT', '"owner" TEXT, PRIMARY KEY ("shard_id", "at")'),
        ),
        [
            "ALTER TABLE shard_heartbeats DROP CONSTRAINT shard_heartbeats_pkey",
            "ALTER TABLE shard_heartbeats ADD PRIMARY KEY (shard_id, at)",
        ],
        ("shard_heartbeats: primary key is shard_id, at, the models say shard_id",),
        ("shard_heartbeats: primary key is PRIMARY KEY (shard_id, at), the models say PRIMARY...",),
    ),
    "trigger added": (
        "CREATE TRIGGER odd AFTER INSERT ON users BEGIN DELETE FROM jobs; END",
        [FUNCTION, TRIGGER],
        ("users: trigger odd is in no model",),
    ),
    "collation": (
        rebuilt("users", ('"name" TEXT NOT NULL', '"name" TEXT NOT NULL COLLATE NOCASE')),
        'ALTER TABLE users ALTER name TYPE text COLLATE "POSIX"',
        ("users.name: collation is NOCASE, the models say BINARY",),
        ("users.name: collation is POSIX, the models say default",),
    ),
    "generated column": (
        rebuilt("guilds", ('"afk_channel_id" INTEGER', '"afk_channel_id" INTEGER AS ("id" + 1) STORED')),
        [
            "ALTER TABLE guilds DROP COLUMN afk_channel_id",
            "ALTER TABLE guilds ADD COLUMN afk_channel_id bigint GENERATED ALWAYS AS (id + 1) STORED",
        ],
        ("guilds.afk_channel_id: generated is as id + 1, the models say no",),
        ("guilds.afk_channel_id: generated is as (id + 1), the models say no",),
    ),
    "identity": (
        None,
        "ALTER TABLE users ALTER id ADD GENERATED ALWAYS AS IDENTITY",
        (
            "users.id: identity is always, the models say no",
            "users.id: sequence is bigint, step 1, the models say none",
        ),
    ),
    "sequence too small": (
        None,
        "ALTER SEQUENCE audit_log_id_seq AS integer",
        ("audit_log.id: sequence is integer, step 1, the models say bigint, step 1",),
    ),
    "table that a crash empties": (
        None,
        "ALTER TABLE command_menus SET UNLOGGED",
        ("command_menus: storage is unlogged, the models say permanent",),
    ),
    "rows hidden by a policy": (
        None,
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        ("users: row security is on, the models say off",),
    ),
    "STRICT lost": (
        rebuilt("users", (" STRICT", "")),
        None,
        ("users: STRICT is no, the models say yes",),
    ),
    "AUTOINCREMENT added": (
        rebuilt("audit_log", ("INTEGER NOT NULL PRIMARY KEY", "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT")),
        None,
        ("audit_log: AUTOINCREMENT is yes, the models say no",),
    ),
    "row ids lost": (
        rebuilt("users", (" STRICT", " STRICT, WITHOUT ROWID")),
        None,
        ("users: row ids is no, the models say yes",),
    ),
    "conflicts resolved silently": (
        rebuilt("users", (" PRIMARY KEY", " PRIMARY KEY ON CONFLICT REPLACE")),
        None,
        ("users: ON CONFLICT REPLACE in id INTEGER NOT NULL PRIMARY KEY ON CONFLICT REPLACE is in no model",),
    ),
}
