"""How work is run: files read in bounds and written whole, workers, a cluster, signals."""
