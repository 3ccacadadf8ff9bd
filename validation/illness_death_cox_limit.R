# Cox limit under an illness-death model with piecewise hazards, accrual and loss that differs by arm: the rates of the example in the help of
# PWEALL::ovbeta (losses made constant), clock forward (its type 1) and reset (its type 2). Two ways that share no code with the package:
# the defining integral by the midpoint rule with 6,000 steps, and survival::coxph on 2,000,000 simulated patients.
# Rscript validation/illness_death_cox_limit.R   (R 4.x, package survival; about a minute)
library(survival)

arms <- list(
  control = list(h02 = c(1, 0.7), h12 = c(0.5, 1), h01 = c(0.3, 0.4), loss = 0.2),
  experimental = list(h02 = c(1, 0.5), h12 = c(0.5, 0.8), h01 = c(0.7, 0.4), loss = 0.5)
)
cut <- 1; accrual <- 1.2; analysis <- 2
rate <- function(t, h) ifelse(t < cut, h[1], h[2])
cumulative <- function(t, h) h[1] * pmin(t, cut) + h[2] * pmax(t - cut, 0)
inverse <- function(e, h) ifelse(e < h[1] * cut, e / h[1], cut + (e - h[1] * cut) / h[2])

curve <- function(a, clock, n) {  # survival and density of death at the midpoints of n steps
  d <- analysis / n; t <- (seq_len(n) - 0.5) * d
  free <- exp(-cumulative(t, a$h01 + a$h02))
  f01 <- rate(t, a$h01) * free
  alive <- free; dying <- rate(t, a$h02) * free
  for (i in seq_len(n)) {
    u <- t[seq_len(i)]; w <- rep(d, i); w[i] <- d / 2
    if (clock == "forward") {
      s12 <- exp(cumulative(u, a$h12) - cumulative(t[i], a$h12)); r <- rep(rate(t[i], a$h12), i)
    } else {
      s12 <- exp(-cumulative(t[i] - u, a$h12)); r <- rate(t[i] - u, a$h12)
    }
    alive[i] <- alive[i] + sum(w * f01[seq_len(i)] * s12)
    dying[i] <- dying[i] + sum(w * f01[seq_len(i)] * s12 * r)
  }
  list(t = t, d = d, alive = alive, dying = dying)
}

limit <- function(clock, n = 6000, pi1 = 0.5) {
  c0 <- curve(arms$control, clock, n); c1 <- curve(arms$experimental, clock, n)
  g <- pmin(1, (analysis - c0$t) / accrual)
  k0 <- exp(-arms$control$loss * c0$t); k1 <- exp(-arms$experimental$loss * c0$t)
  score <- function(b) {
    r <- pi1 * exp(b) * k1 * c1$alive / (pi1 * exp(b) * k1 * c1$alive + (1 - pi1) * k0 * c0$alive)
    sum(g * (pi1 * k1 * c1$dying * (1 - r) - (1 - pi1) * k0 * c0$dying * r)) * c0$d
  }
  uniroot(score, c(-3, 3), tol = 1e-12)$root
}

simulated <- function(clock, n = 1e6) {
  one <- function(a, arm) {
    pfs <- inverse(rexp(n), a$h01 + a$h02)
    progressed <- runif(n) < rate(pfs, a$h01) / (rate(pfs, a$h01) + rate(pfs, a$h02))
    later <- if (clock == "forward") inverse(cumulative(pfs, a$h12) + rexp(n), a$h12) else pfs + inverse(rexp(n), a$h12)
    os <- ifelse(progressed, later, pfs)
    end <- pmin(analysis - runif(n, 0, accrual), rexp(n, a$loss))
    data.frame(time = pmin(os, end), dead = os <= end, arm = arm)
  }
  fit <- coxph(Surv(time, dead) ~ arm, data = rbind(one(arms$control, 0), one(arms$experimental, 1)), ties = "breslow")
  c(coef(fit), sqrt(vcov(fit)))
}

set.seed(20161007)
for (clock in c("forward", "reset")) {
  s <- simulated(clock)
  cat(sprintf("%s: limit %.7f, coxph %.5f (SE %.5f)\n", clock, limit(clock), s[1], s[2]))
}
