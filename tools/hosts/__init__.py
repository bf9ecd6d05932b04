"""Three hosts on one machine, each in a network namespace: web and workers on two, database and queue on the third."""
