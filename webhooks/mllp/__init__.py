"""The door for HL7 by MLLP: frames on a connection of the clinic's network, answered once they are kept."""
