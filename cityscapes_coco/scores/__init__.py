"""Results of a network read, scored, and written for the Cityscapes benchmark."""
