# Pins the JAGS numbers of tests/test_bayes.py: Daniels-Hughes and product-normal on the set llovet-2019-pfs, rho_within 0.5.
# Run by hand from the top of the checkout (R 4.2.2, JAGS 4.3.1, rjags 4-13; about two minutes):
#   python -c "import numpy, surrogacy; e = surrogacy.read_trials().analysis_set('llovet-2019-pfs'); \
#     numpy.savetxt('pairs.csv', numpy.column_stack([e.log_hr, e.se]), delimiter=',', header='y1,y2,s1,s2', comments='')"
#   Rscript validation/jags_product_normal.R pairs.csv
#
# What it was for: a run on record gives, for these trials, Daniels-Hughes slope 0.477 (0.288, 0.667), psi 0.069, and
# product-normal slope 0.435 (0.214, 0.652), R2 0.768 (0.264, 0.975), but not its priors. Found: Daniels-Hughes comes out
# under any of the vague priors tried. The product-normal numbers come out under the separation priors of TSD 20, with
# tau half-N(0, 10^2) (0.437 (0.215, 0.655), 0.770 (0.267, 0.976)) or U(0, 2), and rho U(-1, 1); priors on psi1, psi2 and
# lambda give 0.472 (0.269, 0.678), 0.850 (0.370, 0.998) whatever their scale, a uniform psi2 with rho 0.416, 0.701.
library(rjags)
arguments <- commandArgs(trailingOnly = TRUE)
d <- read.csv(arguments[1])
draws <- if (length(arguments) > 1) as.integer(arguments[2]) else 100000
k <- nrow(d)
rho <- 0.5
P <- array(0, c(k, 2, 2)) # dmnorm of JAGS takes the precision, the inverse of S_i
for (i in 1:k) {
  S <- diag(c(d$s1[i], d$s2[i])) %*% matrix(c(1, rho, rho, 1), 2) %*% diag(c(d$s1[i], d$s2[i]))
  P[i, , ] <- solve(S)
}
# dnorm of JAGS takes 1 / variance
estimates <- "
  for (i in 1:k) {
    y[i, 1:2] ~ dmnorm(theta[i, 1:2], P[i, 1:2, 1:2])
    theta[i, 2] ~ dnorm(lambda0 + lambda1 * (theta[i, 1] - centre), pow(psi2, -2))
"
surrogate_random <- "theta[i, 1] ~ dnorm(eta1, pow(psi1, -2)) }\n eta1 ~ dnorm(0, 0.001)"
r2 <- "r2 <- pow(lambda1 * psi1, 2) / (pow(lambda1 * psi1, 2) + pow(psi2, 2))"
product <- function(priors, centre = "centre <- 0") {
  paste("model {", estimates, surrogate_random, priors, r2, centre, "}", sep = "\n")
}
daniels <- function(variance, lambda, psi) paste(
  "model {", estimates, sprintf("theta[i, 1] ~ dnorm(0, 1 / %g) }", variance),
  sprintf("lambda0 ~ dnorm(0, %g)\n lambda1 ~ dnorm(0, %g)", lambda, lambda), psi, "centre <- 0 }", sep = "\n")
separation <- function(tau) paste(
  sprintf("tau1 ~ %s\n tau2 ~ %s", tau, tau), "rho ~ dunif(-1, 1)", "eta2 ~ dnorm(0, 0.001)",
  "lambda1 <- rho * tau2 / tau1", "lambda0 <- eta2 - lambda1 * eta1", "psi1 <- tau1", "psi2 <- tau2 * sqrt(1 - rho * rho)",
  sep = "\n")
regression <- function(psi1, psi2, lambda) paste(
  sprintf("psi1 ~ %s\n psi2 ~ %s", psi1, psi2),
  sprintf("lambda0 ~ dnorm(0, %g)\n lambda1 ~ dnorm(0, %g)", lambda, lambda), sep = "\n")
half <- "dnorm(0, 0.01) T(0, )"
models <- list(
  "DH  theta1 10^2, lambda prec 0.01, psi U(0,2)" = daniels(100, 0.01, "psi2 ~ dunif(0, 2)"),
  "DH  theta1 10^3, lambda prec 0.11, psi U(0,2)" = daniels(1e3, 0.11, "psi2 ~ dunif(0, 2)"),
  "DH  theta1 10^6, lambda prec 1e-6, psi U(0,2)" = daniels(1e6, 1e-6, "psi2 ~ dunif(0, 2)"),
  "DH  theta1 10^3, lambda prec 0.001, psi half-N(0,1)" = daniels(1e3, 0.001, "psi2 ~ dnorm(0, 1) T(0, )"),
  "PNF psi1, psi2 U(0,2), lambda prec 0.11" = product(regression("dunif(0, 2)", "dunif(0, 2)", 0.11)),
  "PNF psi1, psi2 U(0,2), lambda prec 0.001" = product(regression("dunif(0, 2)", "dunif(0, 2)", 0.001)),
  "PNF psi1, psi2 half-N(0,10^2), lambda prec 0.001" = product(regression(half, half, 0.001)),
  "PNF psi1, psi2 half-N(0,1), lambda prec 0.001" = product(regression("dnorm(0, 1) T(0, )", "dnorm(0, 1) T(0, )", 0.001)),
  "PNF tau half-N(0,10^2), rho U(-1,1)" = product(separation(half)),
  "PNF tau U(0,2), rho U(-1,1)" = product(separation("dunif(0, 2)")),
  "PNF tau1 half-N(0,10^2), rho U(-1,1), psi2 U(0,2)" = product(paste(
    "psi1 ~ dnorm(0, 0.01) T(0, )", "psi2 ~ dunif(0, 2)", "rho ~ dunif(-1, 1)", "eta2 ~ dnorm(0, 0.001)",
    "lambda1 <- rho * psi2 / (psi1 * sqrt(1 - rho * rho))", "lambda0 <- eta2 - lambda1 * eta1", sep = "\n"))
)
for (name in names(models)) {
  set.seed(1)
  starts <- lapply(1:4, function(chain) list(.RNG.name = "base::Mersenne-Twister", .RNG.seed = chain))
  m <- jags.model(textConnection(models[[name]]), list(y = as.matrix(d[, 1:2]), P = P, k = k), starts, n.chains = 4, quiet = TRUE)
  update(m, 20000, progress.bar = "none")
  wanted <- c("lambda0", "lambda1", "psi2", if (startsWith(name, "PNF")) c("psi1", "r2", "eta1"))
  s <- coda.samples(m, wanted, draws, thin = 5, progress.bar = "none")
  cat("\n", name, "\n", sep = "")
  q <- summary(s, quantiles = c(0.025, 0.5, 0.975))$quantiles
  # Monte Carlo standard error of each quantile, from the fifths of the chains
  fifth <- rep(1:5, each = nrow(s[[1]]) / 5)
  parts <- do.call(cbind, lapply(s, function(chain) sapply(split(seq_along(fifth), fifth), function(rows)
    apply(chain[rows, ], 2, quantile, c(0.025, 0.5, 0.975)))))
  error <- matrix(apply(parts, 1, sd) / sqrt(ncol(parts)), ncol = 3, byrow = TRUE, dimnames = list(NULL, paste("se", colnames(q))))
  print(round(cbind(q, error, rhat = gelman.diag(s, multivariate = FALSE)$psrf[, 1]), 4))
}
