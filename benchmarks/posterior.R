# The bivariate model with integrated effects in JAGS. Reads effects.csv of the working folder; prints seconds of CPU,
# the effective number of draws of rho_between, and its median and 95% limits.
suppressMessages(library(rjags))
d <- read.csv("effects.csv")
k <- nrow(d)
S <- array(0, c(k, 2, 2))
S[, 1, 1] <- d$s1^2
S[, 2, 2] <- d$s2^2
S[, 1, 2] <- S[, 2, 1] <- .5 * d$s1 * d$s2
code <- "model {
  for (i in 1:k) {
    y[i, 1:2] ~ dmnorm(mu, P[i, 1:2, 1:2])
    P[i, 1:2, 1:2] <- inverse(V[i, 1:2, 1:2])
    V[i, 1, 1] <- S[i, 1, 1] + t1 * t1
    V[i, 2, 2] <- S[i, 2, 2] + t2 * t2
    V[i, 1, 2] <- S[i, 1, 2] + rho * t1 * t2
    V[i, 2, 1] <- V[i, 1, 2]
  }
  mu[1] ~ dnorm(0, .01)
  mu[2] ~ dnorm(0, .01)
  t1 ~ dnorm(0, 4) T(0, )
  t2 ~ dnorm(0, 4) T(0, )
  rho ~ dunif(-1, 1)
}"
seeds <- lapply(1:4, function(i) list(.RNG.name = "base::Mersenne-Twister", .RNG.seed = i))
time <- system.time({
  m <- jags.model(textConnection(code), list(y = cbind(d$y1, d$y2), S = S, k = k), n.chains = 4, inits = seeds,
                  quiet = TRUE)
  update(m, 1000, progress.bar = "none")
  x <- coda.samples(m, c("rho", "mu"), 4000, progress.bar = "none")
})
rho <- unlist(lapply(x, function(z) as.numeric(z[, "rho"])))
cat(sum(time[c("user.self", "sys.self")]), effectiveSize(x)["rho"], quantile(rho, c(.5, .025, .975)), "\n")
