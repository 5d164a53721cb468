"""The mathematics: one small function a rule, beside its formula and its reference."""
