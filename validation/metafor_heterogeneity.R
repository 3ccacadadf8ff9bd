# Pins tests/reference/metafor_heterogeneity.json: tau and I2 of the forest plots of the default sets by metafor.
# The tables are those of version 2026.11. Run by hand for each SET of the script, in a folder for the exports:
#   surrogacy export SET --format metafor --trials tests/data/trials-2026.11 --out FOLDER/SET.csv
#   Rscript validation/metafor_heterogeneity.R FOLDER   (R 4.2.2, metafor 3.8-1)
library(metafor)
folder <- commandArgs(trailingOnly = TRUE)[1]
out <- list()
for (name in c("tactics-2022", "llovet-2019-pfs", "intermediate", "advanced")) {
  d <- read.csv(file.path(folder, paste0(name, ".csv")))
  V <- as.matrix(read.csv(file.path(folder, paste0(name, "-V.csv")), header = FALSE))
  d$role <- factor(ifelse(d$outcome == "OS", "final", "surrogate"), levels = c("surrogate", "final"))
  both <- rma.mv(yi, V, mods = ~ 0 + role, random = ~ role | comparison, struct = "UN", data = d, method = "REML",
                 control = list(optimizer = "optim", optmethod = "BFGS", reltol = 1e-14, maxit = 10000))
  for (role in levels(d$role)) {
    rows <- d$role == role
    alone <- rma(d$yi[rows], diag(V)[rows], method = "REML", control = list(threshold = 1e-12, maxiter = 1000))
    out[[name]][[role]] <- list(k = alone$k, tau_alone = sqrt(alone$tau2), i2_alone = alone$I2 / 100,
                                tau = sqrt(both$tau2[match(role, levels(d$role))]))
  }
}
writeLines(jsonlite::toJSON(out, digits = 12, auto_unbox = TRUE, pretty = TRUE),
           "tests/reference/metafor_heterogeneity.json")
