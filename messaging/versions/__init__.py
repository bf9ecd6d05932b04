"""What a clinic decides about itself, in editions: a draft, what is wrong with it, who agreed, every edition before."""
