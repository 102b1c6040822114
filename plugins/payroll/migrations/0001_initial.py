"""Payrolls with their ores and payslips."""

from __future__ import annotations

from typing import Any

from redlegion.database import (
    SQL,
    BigAutoField,
    BooleanField,
    CentiScu,
    Check,
    Instant,
    IntegerField,
    Money,
    Reference,
    Snowflake,
    Text,
)


def _models(db: Any) -> list[Any]:
    class Guild(db.Model):  # type: ignore[misc]
        id = Snowflake(primary_key=True)

        class Meta:
            table_name = "guilds"

    class Entity(db.Model):  # type: ignore[misc]
        id = BigAutoField()
        created_at = Instant()
        updated_at = Instant()

    class Payroll(Entity):
        guild_id = Reference(Guild)
        operation_id = Snowflake(
            constraints=[SQL('REFERENCES "operations_operation" ("id") ON DELETE RESTRICT')]
        )
        version = IntegerField()
        state = Text()
        form = Text()
        org_cut_bp = IntegerField()
        fee_bp = IntegerField()
        gross = Money()
        expenses = Money()
        org_cut = Money()
        fees = Money()
        payouts_total = Money()
        created_by = Snowflake()
        request_id = Snowflake(unique=True)
        channel_id = Snowflake()
        locked_by = Snowflake(null=True)
        locked_by_name = Text()
        locked_at = Instant(null=True)
        lock_request_id = Snowflake(null=True, unique=True)
        post_started = Instant(null=True)
        message_id = Snowflake(null=True)

        class Meta:
            table_name = "payroll_payroll"
            constraints = (
                Check("\"state\" IN ('draft', 'locked', 'void')", name="payroll_payroll_state"),
                Check("\"form\" IN ('refined', 'raw')", name="payroll_payroll_form"),
                Check('"state" <> \'locked\' OR "locked_at" IS NOT NULL', name="payroll_payroll_locked"),
                Check(
                    '"gross" = "expenses" + "org_cut" + "fees" + "payouts_total"',
                    name="payroll_payroll_adds_up",
                ),
                Check(
                    '"gross" >= 0 AND "expenses" >= 0 AND "org_cut" >= 0'
                    ' AND "fees" >= 0 AND "payouts_total" >= 0',
                    name="payroll_payroll_not_negative",
                ),
            )
            indexes = ((("guild_id", "state"), False),)

    Payroll.add_index(
        Payroll.operation_id,
        unique=True,
        where=SQL("\"state\" = 'locked'"),
        name="payroll_payroll_one_locked",
    )

    class Ore(Entity):
        payroll_id = Reference(Payroll)
        material_id = Snowflake()
        name = Text()
        entered = Text(null=True)
        centi_scu = CentiScu(null=True)
        price = Money(null=True)
        price_entered = Text(null=True)
        price_source = Text()
        price_as_of = Instant()
        overridden_by = Snowflake(null=True)
        overridden_by_name = Text()
        value = Money(null=True)

        class Meta:
            table_name = "payroll_ore"
            constraints = (
                Check('"centi_scu" IS NULL OR "centi_scu" >= 0', name="payroll_ore_quantity"),
                Check('"price" IS NULL OR "price" > 0', name="payroll_ore_price"),
            )
            indexes = ((("payroll_id", "material_id"), True),)

    class Payslip(Entity):
        payroll_id = Reference(Payroll)
        user_id = Snowflake()
        name = Text()
        seconds = Snowflake()
        estimated = BooleanField()
        gross = Money()
        fee = Money()
        net = Money()

        class Meta:
            table_name = "payroll_payslip"
            constraints = (
                Check('"gross" = "fee" + "net"', name="payroll_payslip_adds_up"),
                Check('"seconds" >= 0 AND "fee" >= 0 AND "net" >= 0', name="payroll_payslip_not_negative"),
            )
            indexes = ((("payroll_id", "user_id"), True),)

    return [Payroll, Ore, Payslip]


def up(migrator: Any, db: Any) -> None:
    db.create_tables(_models(db))


def down(migrator: Any, db: Any) -> None:
    db.drop_tables(_models(db)[::-1])
