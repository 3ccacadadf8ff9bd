library(metafor)
dat <- read.csv("@csv@")
# V: covariances within a comparison, and of comparisons that share a control arm
V <- as.matrix(read.csv("@matrix@", header = FALSE))
dat$role <- factor(ifelse(dat$outcome %in% c(@finals@), "final", "surrogate"), levels = c("surrogate", "final"))
fit <- rma.mv(yi, V, mods = ~ 0 + role, random = ~ role | comparison, struct = "UN", data = dat, method = "REML",
              control = list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-14, maxit = 10000))
print(fit)
cat("slope", fit$rho * sqrt(fit$tau2[2] / fit$tau2[1]), " trial-level R2", fit$rho^2, "\n")
