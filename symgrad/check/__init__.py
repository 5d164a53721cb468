"""The checker: it verifies claims against the graph alone and imports no rule, solver or printer."""
