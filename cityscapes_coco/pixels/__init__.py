"""Arrays only: PNG files, polygons, and run lengths. Both sides of the house use them."""
