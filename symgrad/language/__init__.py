"""The words that all parts of symgrad speak: data only, on SymPy and nothing of ours."""
