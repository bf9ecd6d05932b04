"""How long the words of texts are kept: as long as the clinic says, and no longer."""
