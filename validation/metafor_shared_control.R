# Pins tests/reference/metafor_shared_control.json: the bivariate model of metafor on comparisons that share a control arm.
# Run by hand: Rscript validation/metafor_shared_control.R   (R 4.2.2, metafor 3.8-1)
library(metafor)
d <- read.csv("tests/reference/data/shared_control.csv")
k <- nrow(d)
rho <- 0.5
se <- cbind(d$se1, d$se2)
V <- matrix(0, 2 * k, 2 * k)
for (i in 1:k) for (j in 1:k) {
  if (i == j) S <- diag(se[i, ]) %*% matrix(c(1, rho, rho, 1), 2) %*% diag(se[i, ])
  else if (d$group[i] != "" && d$group[i] == d$group[j]) {
    common <- pmin(d$share[i] * se[i, ]^2, d$share[j] * se[j, ]^2) # variance of the shared control arm
    S <- diag(common); S[1, 2] <- S[2, 1] <- rho * sqrt(prod(common))
  } else S <- matrix(0, 2, 2)
  V[2 * i - 1:0, 2 * j - 1:0] <- S
}
long <- data.frame(y = c(t(cbind(d$y1, d$y2))), endpoint = factor(rep(1:2, k)), comparison = rep(1:k, each = 2))
out <- list()
for (method in c("ML", "REML")) {
  fit <- rma.mv(y, V, mods = ~ endpoint - 1, random = ~ endpoint | comparison, struct = "UN", data = long, method = method,
                control = list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-14, maxit = 10000))
  ci <- confint(fit, rho = 1, digits = 8)
  out[[method]] <- list(mu = as.numeric(coef(fit)), se = as.numeric(fit$se), tau = sqrt(fit$tau2), rho = fit$rho,
                        loglik = as.numeric(logLik(fit)), rho_profile = as.numeric(ci$random[1, 2:3]))
}
writeLines(jsonlite::toJSON(out, digits = 12, auto_unbox = TRUE, pretty = TRUE), "tests/reference/metafor_shared_control.json")
