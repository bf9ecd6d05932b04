"""What every room stands on: settings, clock, logs, keys, database, queue, audit."""
