"""Hessians and Jacobians of textbook models: the variables, a let-list, what is differentiated in what, the form that books have.

Sources: Magnus and Neudecker (2019), Boyd and Vandenberghe (2004), Bishop (2006), Petersen and Pedersen (2012).  A shape is a list of
dimensions; `+` marks positive entries, `^` a positive-definite matrix.  The node is L for Hessians.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Second:
    name: str
    symbols: str  # "A N N, x N, c, S^ N N"
    let: str
    wrt: tuple[str, ...]
    of: str = "L"  # another name: its Jacobians
    expected: str = ""  # of the first block


SECOND = [
    # ---- regression (Bishop, chapters 3 and 4)
    Second("least squares", "X M N, w N, y M", "L = 1/2 * norm(X @ w - y)^2", ("w",), expected="X.T @ X"),
    Second("ridge", "X M N, w N, y M, c", "L = norm(X @ w - y)^2 + c * norm(w)^2", ("w",), expected="2 * X.T @ X + 2 * c * eye(N)"),
    Second("weighted least squares", "X M N, w N, y M, r M", "L = 1/2 * (X @ w - y).T @ diag(r) @ (X @ w - y)", ("w",), expected="X.T @ diag(r) @ X"),
    Second("logistic regression", "X M N, w N, y M", "z = X @ w\nL = sum(softplus(z)) - y.T @ z", ("w",),
           expected="X.T @ diag(sigmoid(z) * (1 - sigmoid(z))) @ X"),
    Second("logistic regression, negative log-likelihood", "X M N, w N, y M", "p = sigmoid(X @ w)\nL = -(y.T @ log(p)) - (1 - y).T @ log(1 - p)",
           ("w",)),
    Second("Poisson regression", "X M N, w N, y M", "z = X @ w\nL = sum(exp(z)) - y.T @ z", ("w",), expected="X.T @ diag(exp(z)) @ X"),
    Second("generalised linear model", "X M N, w N, y M", "z = X @ w\nL = sum(f(z)) - y.T @ z", ("w",)),
    Second("exponential regression", "X M N, w N, y M", "z = X @ w\nL = sum(z) + sum(y * exp(-z))", ("w",), expected="X.T @ diag(y * exp(-z)) @ X"),
    Second("gamma regression with an intercept", "X M N, w N, b, y M", "z = X @ w + b * ones(M)\nL = sum(z) + sum(y * exp(-z))", ("w", "b")),
    Second("softmax regression, weights", "W K N, x N, t K", "z = W @ x\nL = sum(t) * logsumexp(z) - t.T @ z", ("W",),
           expected="sum(t) * kron(x @ x.T, diag(softmax(z)) - softmax(z) @ softmax(z).T)"),
    Second("softmax regression, batch", "X M N, W N K, T M K", "Z = X @ W\nL = sum(logsumexp(Z, 1)) - inner(T, Z)", ("W",)),
    Second("cross-entropy in the logits", "z N, t N", "L = sum(t) * logsumexp(z) - t.T @ z", ("z",),
           expected="sum(t) * (diag(softmax(z)) - softmax(z) @ softmax(z).T)"),
    Second("robust regression", "X M N, w N, y M", "r = X @ w - y\nL = sum(sqrt(1 + r^2))", ("w",)),
    Second("Cauchy loss", "X M N, w N, y M", "r = X @ w - y\nL = sum(log(1 + r^2))", ("w",)),
    Second("multivariate least squares", "X M N, W N K, Y M K", "L = 1/2 * norm(X @ W - Y)^2", ("W",), expected="kron(eye(K), X.T @ X)"),
    Second("heteroscedastic likelihood", "x N, m, s+", "L = N * log(s) + 1/2 * norm(x - m * ones(N))^2 / s^2", ("m", "s")),
    # ---- quadratic forms, norms, log-sum-exp (Boyd, sections 3.1 and A.4)
    Second("quadratic form", "A N N, x N, b N", "L = 1/2 * x.T @ A @ x + b.T @ x", ("x",), expected="1/2 * (A + A.T)"),
    Second("bilinear form, mixed block", "x M, A M N, y N", "L = x.T @ A @ y", ("x", "y")),
    Second("bilinear form, vector and matrix", "x M, A M N, y N", "L = x.T @ A @ y", ("x", "A")),
    Second("log-sum-exp of an affine map", "A M N, x N, b M", "L = logsumexp(A @ x + b)", ("x",),
           expected="A.T @ (diag(softmax(A @ x + b)) - softmax(A @ x + b) @ softmax(A @ x + b).T) @ A"),
    Second("geometric mean of entries", "x+ N", "L = exp(1/N * sum(log(x)))", ("x",)),
    Second("quadratic over linear", "x N, y+", "L = norm(x)^2 / y", ("x", "y")),
    Second("Rayleigh quotient", "x N, A N N", "L = (x.T @ A @ x) / (x.T @ x)", ("x",)),
    Second("log barrier", "A M N, x N, b+ M", "L = -sum(log(b + exp(A @ x)))", ("x",)),
    Second("entropy", "x+ N", "L = x.T @ log(x)", ("x",), expected="diag(1 / x)"),
    Second("norm of an affine map", "A M N, x N, b M", "L = norm(A @ x - b)", ("x",)),
    Second("Rosenbrock", "x, y", "L = (1 - x)^2 + 100 * (y - x^2)^2", ("x", "y"), expected="1200 * x^2 - 400 * y + 2"),
    Second("Rosenbrock, a vector", "x 3", "L = (1 - x[1])^2 + 100 * (x[2] - x[1]^2)^2 + 100 * (x[3] - x[2]^2)^2", ("x",)),
    # ---- matrices (Magnus and Neudecker, chapters 9 and 10)
    Second("log determinant", "X^ N N", "L = logdet(X)", ("X",)),
    Second("determinant", "X^ N N", "L = det(X)", ("X",)),
    Second("trace of an inverse", "X^ N N", "L = trace(inv(X))", ("X",)),
    Second("trace of X^T A X", "X M N, A M M", "L = trace(X.T @ A @ X)", ("X",), expected="kron(eye(N), A + A.T)"),
    Second("quadratic form with an inverse", "X^ N N, a N", "L = a.T @ inv(X) @ a", ("X", "a")),
    Second("Gaussian in precision and mean", "x N, mu N, P^ N N", "d = x - mu\nL = 1/2 * d.T @ P @ d - 1/2 * logdet(P)", ("mu", "P")),
    Second("matrix factorisation", "U M K, V N K, Y M N", "L = 1/2 * norm(U @ V.T - Y)^2", ("U", "V")),
    Second("masked matrix factorisation", "K1 M N, U M K, V N K, Y M N", "L = 1/2 * norm(K1 * (U @ V.T - Y))^2", ("U", "V")),
    Second("spectral gap of a product", "A M K, B K N", "L = trace(A @ B @ B.T @ A.T)", ("A", "B")),
    Second("diagonal precision", "d+ N, x N, A M N", "L = 1/2 * x.T @ diag(d) @ x - 1/2 * sum(log(d))", ("d", "x")),
    Second("diagonal factor in a product", "A M N, d N, B N M, Y M M", "L = 1/2 * norm(A @ diag(d) @ B - Y)^2", ("d",)),
    Second("diagonal plus a Gram matrix", "d+ N, X M N", "L = logdet(X.T @ X + diag(d))", ("d",)),
    Second("diagonal of a matrix", "A N N", "L = norm(diag(A))^2", ("A",)),
    Second("column scaling", "A M N, d N", "L = sum(exp(A @ diag(d)))", ("d",)),
    Second("Gaussian kernel matrix entry", "x N, y N, c+", "L = exp(-c * norm(x - y)^2)", ("x", "y")),
    Second("slice of a moving vector", "x 4, A 2 2", "u = x[1:2]\nv = x[3:4]\nL = u.T @ A @ v + norm(v)^4", ("x",)),
    Second("concatenation of moving vectors", "x N, W K N", "h = tanh(W @ x)\nz = concat(x, h)\nL = 1/2 * norm(z)^2 + sum(z^3)", ("x",)),
    Second("row of a matrix", "E M N, c N", "L = (E[2, :] @ c)^2", ("E",)),
    Second("block of a matrix", "A 3 4", "B = A[1:2, 2:3]\nL = norm(B)^4", ("A",)),
    Second("stacked matrices", "A M N, B K N, x N", "C = vstack(A, B)\nL = norm(C @ x)^2 + norm(C)^4", ("A",)),
    # ---- networks
    Second("two layers, input", "W1 K N, W2 M K, x N, y M", "h = tanh(W1 @ x)\nL = 1/2 * norm(W2 @ h - y)^2", ("x",)),
    Second("two layers, input and weights", "W1 K N, W2 M K, x N, y M", "h = tanh(W1 @ x)\nL = 1/2 * norm(W2 @ h - y)^2", ("x", "W1", "W2")),
    Second("batch layer with a bias", "X M N, W K N, b K, Y M K", "H = sigmoid(X @ W.T + ones(M) @ b.T)\nL = 1/2 * norm(H - Y)^2", ("b", "W")),
    Second("tied weights", "W K N, x N", "r = W.T @ (W @ x) - x\nL = 1/2 * norm(r)^2", ("x",)),
    Second("gated unit", "W M N, V M N, x N", "g = sigmoid(V @ x)\nL = norm((W @ x) * g)^2", ("x",)),
    # ---- Jacobians
    Second("softmax", "z N", "p = softmax(z)", ("z",), "p", "diag(p) - p @ p.T"),
    Second("log-softmax", "z N", "p = logsoftmax(z)", ("z",), "p", "eye(N) - ones(N) @ softmax(z).T"),
    Second("softmax with a temperature", "z N, c+", "p = softmax(c * z)", ("z", "c"), "p"),
    Second("layer normalisation", "x N, e+", "c = x - mean(x)\ns = sqrt(mean(c^2) + e)\ny = c / s", ("x",), "y"),
    Second("root-mean-square normalisation", "x N, e+", "y = x / sqrt(mean(x^2) + e)", ("x",), "y"),
    Second("normalised vector", "x N", "u = x / norm(x)", ("x",), "u", "(eye(N) - u @ u.T) / norm(x)"),
    Second("residual layer", "W N N, x N", "y = x + tanh(W @ x)", ("x", "W"), "y"),
    Second("attention", "Q M D, K1 N D, V N J", "P = softmax(1/sqrt(D) * Q @ K1.T, 1)\nO = P @ V", ("Q", "K1", "V"), "O"),
    Second("matrix inverse", "X^ N N", "Y = inv(X)", ("X",), "Y", "-kron(inv(X).T, inv(X))"),
    Second("linear solve", "A^ N N, b N", "x = solve(A, b)", ("A", "b"), "x"),
    Second("diag of a moving vector", "A M N, x N, B N M", "Y = A @ diag(tanh(x)) @ B", ("x",), "Y"),
    Second("diag in a quadratic form", "W N N, x N", "y = W @ diag(x) @ W.T @ x", ("x",), "y"),
    Second("covariance of softmax", "z N", "p = softmax(z)\nS = diag(p) - p @ p.T", ("z",), "S"),
    Second("row-wise softmax", "A M N", "P = softmax(A, 1)", ("A",), "P"),
    Second("outer product", "x N, y M", "Y = x @ y.T", ("x", "y"), "Y", "kron(y, eye(N))"),
    Second("Gram matrix", "X M N", "Y = X.T @ X", ("X",), "Y"),
    Second("matrix power", "X N N", "Y = X @ X @ X", ("X",), "Y"),
    Second("Kronecker product, right", "A M N, B J K", "Y = kron(A, B)", ("B",), "Y"),
    Second("Kronecker product, left", "A M N, B J K", "Y = kron(A, B)", ("A",), "Y"),
    Second("side by side", "A M N, B M K", "Y = hstack(A, B @ B.T @ A)", ("A",), "Y"),
    Second("lower triangle", "A N N", "Y = tril(A) @ tril(A).T", ("A",), "Y"),
    Second("column means", "X M N", "m = mean(X, 0)\nY = X - ones(M) @ m.T", ("X",), "Y"),
    Second("batch normalisation", "X M N", "m = mean(X, 0)\nC = X - ones(M) @ m.T\nv = mean(C^2, 0)\nY = C @ diag(1 / sqrt(v))", ("X",), "Y"),
    Second("cumulative sums", "x N", "y = exp(cumsum(x))", ("x",), "y"),
]

UNSUPPORTED = [
    Second("Kronecker product, both", "A M N, B J K", "L = 1/4 * norm(kron(A, B))^2", ("A", "B"),
           expected="unsupported: the Jacobian of blocks weighted by what moves; ask for a product with a direction instead"),
    Second("convolution", "X 5 5, W 3 3", "Y = conv(X, W)\nL = norm(Y)^2", ("W",), expected="ask for a product with a direction instead"),
]
"""`expected` is what the refusal says."""
