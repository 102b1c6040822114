"""The rules of the payroll: whole numbers in, whole numbers out; no Discord, no database."""
