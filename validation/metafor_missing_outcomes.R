# Pins tests/reference/metafor_missing_outcomes.json: the bivariate model of metafor on comparisons with one endpoint.
# The tables are those of version 2026.11; a comparison without an endpoint has one row. Run by hand in this order:
#   surrogacy export advanced --format metafor --one-endpoint include --trials tests/data/trials-2026.11 --out X.csv
#   Rscript validation/metafor_missing_outcomes.R X   (R 4.2.2, metafor 3.8-1)
library(metafor)
name <- commandArgs(trailingOnly = TRUE)[1]
d <- read.csv(paste0(name, ".csv"))
V <- as.matrix(read.csv(paste0(name, "-V.csv"), header = FALSE))
d$role <- factor(ifelse(d$outcome == "OS", "final", "surrogate"), levels = c("surrogate", "final"))
out <- list(rows = nrow(d), comparisons = length(unique(d$comparison)))
for (method in c("ML", "REML")) {
  fit <- rma.mv(yi, V, mods = ~ 0 + role, random = ~ role | comparison, struct = "UN", data = d, method = method,
                control = list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-14, maxit = 10000))
  ci <- confint(fit, rho = 1, digits = 8)
  out[[method]] <- list(mu = as.numeric(coef(fit)), se = as.numeric(fit$se), tau = sqrt(fit$tau2), rho = fit$rho,
                        loglik = as.numeric(logLik(fit)), rho_profile = as.numeric(ci$random[1, 2:3]))
}
writeLines(jsonlite::toJSON(out, digits = 12, auto_unbox = TRUE, pretty = TRUE),
           "tests/reference/metafor_missing_outcomes.json")
