"""What a clinic decides about itself, in versions: a draft, what is wrong with it, who agreed, every version before."""
