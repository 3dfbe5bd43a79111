"""Studies: their contract, running foreign ones safely, and small ones known to be good or bad."""
