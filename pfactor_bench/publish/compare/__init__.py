"""Two reports beside each other: what changed, by how much, and what else differs."""
