"""Tables of the payroll."""

from __future__ import annotations

from redlegion.database import (
    SQL,
    BaseModel,
    BooleanField,
    CentiScu,
    Check,
    Guild,
    Instant,
    IntegerField,
    Money,
    Reference,
    Snowflake,
    Text,
)


class PayrollRow(BaseModel):
    """One version of the split of one operation; its small id is what people read.

    `request_id` and `lock_request_id` are the interactions that made and locked it: asked twice, done once.
    A draft that was cancelled or replaced becomes void and stays as an empty row: ids are never used again,
    so that an old panel cannot act on another draft. The operation is named by a plain constraint because
    another plugin's models are its own affair.
    """

    guild_id = Reference(Guild)
    operation_id = Snowflake(constraints=[SQL('REFERENCES "operations_operation" ("id") ON DELETE RESTRICT')])
    version = IntegerField()
    state = Text(default="draft")
    form = Text()
    org_cut_bp = IntegerField()
    fee_bp = IntegerField()
    gross = Money(default=0)
    expenses = Money(default=0)
    org_cut = Money(default=0)
    fees = Money(default=0)
    payouts_total = Money(default=0)
    created_by = Snowflake()
    request_id = Snowflake(unique=True)
    channel_id = Snowflake()
    locked_by = Snowflake(null=True)
    locked_by_name = Text(default="")
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
                '"gross" = "expenses" + "org_cut" + "fees" + "payouts_total"', name="payroll_payroll_adds_up"
            ),
            Check(
                '"gross" >= 0 AND "expenses" >= 0 AND "org_cut" >= 0'
                ' AND "fees" >= 0 AND "payouts_total" >= 0',
                name="payroll_payroll_not_negative",
            ),
        )
        indexes = ((("guild_id", "state"), False),)


PayrollRow.add_index(
    PayrollRow.operation_id,
    unique=True,
    where=SQL("\"state\" = 'locked'"),
    name="payroll_payroll_one_locked",
)


class OreRow(BaseModel):
    """One kind of ore; quantity and price may be missing only in a draft.

    `entered` and `price_entered` are what was typed, kept so that a mistake can be mended instead of retyped.
    """

    payroll_id = Reference(PayrollRow)
    material_id = Snowflake()
    name = Text()
    entered = Text(null=True)
    centi_scu = CentiScu(null=True)
    price = Money(null=True)
    price_entered = Text(null=True)
    price_source = Text()
    price_as_of = Instant()
    overridden_by = Snowflake(null=True)
    overridden_by_name = Text(default="")
    value = Money(null=True)

    class Meta:
        table_name = "payroll_ore"
        constraints = (
            Check('"centi_scu" IS NULL OR "centi_scu" >= 0', name="payroll_ore_quantity"),
            Check('"price" IS NULL OR "price" > 0', name="payroll_ore_price"),
        )
        indexes = ((("payroll_id", "material_id"), True),)


class PayslipRow(BaseModel):
    """One member's line."""

    payroll_id = Reference(PayrollRow)
    user_id = Snowflake()
    name = Text()
    seconds = Snowflake()
    estimated = BooleanField(default=False)
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


MODELS: tuple[type[BaseModel], ...] = (PayrollRow, OreRow, PayslipRow)
