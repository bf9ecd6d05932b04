"""Where colleagues write to each other and ask each other: patients' threads, tasks, notes and the clinic's board."""
