"""Problem files to problems: TOML and the let-list, validated, never evaluated."""
