"""The command line: a file a subcommand, found by being here."""
