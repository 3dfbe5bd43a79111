"""A suite from its file to its report, and stored runs measured again."""
