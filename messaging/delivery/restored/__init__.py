"""What a restored database does not know: the time between its backup and now."""
