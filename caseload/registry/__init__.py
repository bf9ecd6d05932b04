"""The rules of the registry, pure: how somebody's scores move, and what is due for them."""
