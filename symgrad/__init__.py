"""symgrad: symbolic derivation of the mathematics of neural networks, every step checked."""

__version__ = "0.1.0"
