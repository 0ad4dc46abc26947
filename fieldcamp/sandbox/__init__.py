"""The vendors FieldCamp talks to, as stateful simulators on one port. Never mounted in production."""
