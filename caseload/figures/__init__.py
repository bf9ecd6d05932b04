"""The figures of the 90-day review: what each measure counts, counts kept by day, changes that are tried."""
