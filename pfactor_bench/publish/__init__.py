"""What is made of stored records: a site, comparisons, other formats."""
