"""What integrators are told of accounts, syncs, problems and detected changes, in the transaction of what happens."""
