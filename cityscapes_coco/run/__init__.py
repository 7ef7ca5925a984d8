"""Files and folders, worker processes, a cluster, and the signals that end a program."""
