"""Python values <-> what goes over the wire. It knows no batch, and nothing that waits."""
