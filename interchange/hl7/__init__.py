"""HL7 v2 messages: read, acknowledged, and told as acts."""
