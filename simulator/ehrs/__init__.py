"""Two made-up EHRs on this machine: one that is polled like Epic, one that tells and queues like athenahealth."""
