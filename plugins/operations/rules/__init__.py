"""Pure rules of operations: values in, values out; no Discord, no database."""
