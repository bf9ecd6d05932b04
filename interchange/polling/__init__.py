"""EHRs that are asked: which days and when, as whom, what is made of the answers, and what was refused."""
