# The version of the product, here alone. 0.2.0 is the first one that later versions can upgrade from.
__version__ = "0.2.0"
