"""The door for staff: pages that people who care for patients work from, put together in `register`."""
