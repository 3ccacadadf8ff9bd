# Pins tests/reference/metafor_meta_regression.json: meta-regressions of metafor on five sets of the tables 2026.11.
# Run by hand: Rscript validation/metafor_meta_regression.R   (R 4.2.2, metafor 3.8-1)
# The convergence threshold of REML is lowered from metafor's default, 1e-5, at which tau^2 has three correct digits.
library(metafor)
data <- read.csv("tests/reference/data/meta_regression.csv")
tests <- c("z" = "z", "knapp-hartung" = "knha", "ad-hoc" = "adhoc")
x_new <- log(c(0.4, 0.6, 0.8))

# surrogate hazard ratio at which the upper limit of the prediction interval reaches 1
threshold <- function(fit, level, extra = 0) {
  upper <- function(x) {
    p <- predict(fit, newmods = x, level = level)
    critical <- if (fit$test == "z") qnorm(0.5 + level / 200) else qt(0.5 + level / 200, fit$k - fit$p)
    p$pred + critical * sqrt(p$se^2 + fit$tau2 + extra)
  }
  grid <- seq(log(0.05), 0, length.out = 2000)
  above <- which(sapply(grid, upper) < 0)
  if (length(above) == 0 || max(above) == length(grid)) return(NULL)
  i <- max(above)
  exp(uniroot(upper, grid[c(i, i + 1)], tol = 1e-14)$root)
}

fit_all <- function(d) {
  out <- list()
  for (method in c("REML", "DL", "PM")) for (name in names(tests)) {
    fit <- rma(y2, se2^2, mods = ~ y1, data = d, method = method, test = tests[[name]],
               control = list(threshold = 1e-14, maxiter = 10000, tol = 1e-14))
    limits <- confint(fit, control = list(tol = 1e-14))$random
    p <- predict(fit, newmods = x_new)
    out[[paste(tolower(method), name)]] <- list(
      coefficients = as.numeric(coef(fit)), se = fit$se, low = fit$ci.lb, high = fit$ci.ub, covariance = fit$vb,
      tau2 = fit$tau2, tau2_low = limits[1, 2], tau2_high = limits[1, 3], q = fit$QE, q_p = fit$QEp, i2 = fit$I2 / 100,
      r2 = fit$R2 / 100, predicted = p$pred, prediction_low = p$pi.lb, prediction_high = p$pi.ub,
      threshold_95 = threshold(fit, 95), threshold_80 = threshold(fit, 80)
    )
  }
  out
}

# comparisons that share a control arm covary by the variance of that arm
shared_control <- function(d) {
  k <- nrow(d)
  V <- diag(d$se2^2)
  for (i in 1:k) for (j in 1:k) if (i != j && d$group[i] != "" && d$group[i] == d$group[j])
    V[i, j] <- min(d$share2[i] * d$se2[i]^2, d$share2[j] * d$se2[j]^2)
  d$row <- 1:k
  fit <- rma.mv(y2, V, mods = ~ y1, random = ~ 1 | row, data = d, method = "REML",
                control = list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-15, maxit = 10000))
  list(coefficients = as.numeric(coef(fit)), se = fit$se, tau2 = fit$sigma2, q = fit$QE)
}

out <- list()
for (set in unique(data$set)) {
  d <- data[data$set == set, ]
  out[[set]] <- list(independent = fit_all(d), shared_control = shared_control(d))
}
writeLines(jsonlite::toJSON(out, digits = 12, auto_unbox = TRUE, pretty = TRUE, null = "null"),
           "tests/reference/metafor_meta_regression.json")
