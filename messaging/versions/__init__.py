"""What a clinic decides about itself, in editions: a draft, what is wrong with it, who agreed, and every edition before."""
