"""How the weights of the second reader are made from invented texts, and how well they do."""
