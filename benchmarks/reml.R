# Bivariate REML in metafor and mixmeta, whichever is installed. Reads effects.csv of the working folder; prints a line
# per package: name, milliseconds of CPU of the fastest fit, log-likelihood. The argument is the number of fits.
repeats <- as.integer(commandArgs(trailingOnly = TRUE)[1])
d <- read.csv("effects.csv")
k <- nrow(d)
covariance <- cbind(d$s1^2, .5 * d$s1 * d$s2, d$s2^2)
timed <- function(name, fit) {
  likelihood <- logLik(fit())
  t <- replicate(repeats, sum(system.time(fit())[c("user.self", "sys.self")]))
  cat(name, 1000 * min(t), likelihood, "\n")
}
if (suppressMessages(require(metafor, quietly = TRUE))) {
  V <- matrix(0, 2 * k, 2 * k)
  for (i in 1:k) V[2 * i - 1:0, 2 * i - 1:0] <- covariance[i, c(1, 2, 2, 3)]
  long <- data.frame(y = c(t(cbind(d$y1, d$y2))), endpoint = factor(rep(1:2, k)), trial = rep(1:k, each = 2))
  timed("metafor", function() {
    rma.mv(y, V, mods = ~ endpoint - 1, random = ~ endpoint | trial, struct = "UN", data = long)
  })
}
if (suppressWarnings(suppressMessages(require(mixmeta, quietly = TRUE)))) {
  timed("mixmeta", function() mixmeta(cbind(y1, y2), S = covariance, data = d, method = "reml"))
}
