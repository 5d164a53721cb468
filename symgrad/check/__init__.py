"""The checker: it verifies claims against the graph alone and imports no rule, solver or printer.

A verdict PROVED is worth what it rests on: the module of its kind of claim, and what that imports.  The modules stand in layers, and
each imports from its own layer and from those above it in this list (tests/test_trust.py reads the list and holds them to it):

    errors: errors
    scalar: calculus signs rewriter normal evaluation exact ranges
    points: points
    sizes: shapes slots axioms explicit sizes splits general
    matrices: ring products inverses contractions differentials
    names: pattern abstraction permutations
    equality: identity comparison meaning lines duals symmetry equality domains assumptions conditional
    claims: values scalars facts zeros nonzeros fill adjoints recurrences tangents arrays identities counterexamples networks outputs
    claims: threshold chain weights
    door: checker answers

- scalar: one scalar expression without vectors: its derivative, its sign, its value in fractions or in intervals with error bounds,
  and whether it is identically zero (normal: one substitution to a fraction of polynomials, on each pattern of signs).
- points: points at which a false equation is likely to fail.  They only refute, and a refutation is two disjoint intervals: a fault
  here loses a verdict and makes no false claim PROVED.
- sizes: what equality of all entries at a few sizes says of every size.  shapes refuses what has no meaning, slots and sizes count,
  splits sees where the count says nothing, explicit writes entries out, axioms has one rule each for inverses and the like.
- matrices: the same without sizes and entries, by the laws of products of matrices (ring), differentials and A A^-1 = I.
- names: a statement with other names, any function for a known one, any argument for the one at hand.
- equality: are two things equal?  Scalars (identity), forms with vectors (comparison, meaning, duals), expressions in the names of
  two networks (equality), expressions under assumptions (conditional).  Which way is tried first is speed, not trust.
- claims: what a kind of claim has to be besides true: a first line that is the chain rule with every path or consumer of the graph,
  cases that leave nothing out, multipliers that contradict each other.
- door: every claim to its module; whether a list of claims answers what a problem asks.

How much a verdict rests on differs: one on a threshold network on nothing but its own module and errors; one on values, partials,
paths or a guaranteed zero on no count of sizes and no law of matrices; one on an adjoint or a tangent on nearly all.
"""
