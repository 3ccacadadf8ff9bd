# Meta-regression with a known variance between trials: what the moderated line is, given psi, where the surrogate effects have no error.
# The numbers are those of tests/test_pps_moderation.py.   Rscript validation/metafor_moderated.R
suppressMessages(library(metafor))
i <- 0:23
z <- round(sin(2.3 * i) + 0.4 * cos(5.1 * i), 3)
true <- -0.35 + 0.3 * sin(1.7 * i + 0.4)
se1 <- 0.1 + 0.06 * abs(sin(i)); se2 <- 0.12 + 0.05 * abs(cos(3 * i))
x <- round(true + se1 * sin(7.7 * i), 4)
y <- round(0.02 + 0.03 * z + (0.55 - 0.2 * z) * true + 0.08 * cos(4.3 * i) + se2 * sin(7.7 * i + 1), 4)
z <- z - mean(z)
fit <- rma(y, sei = round(se2, 4), mods = ~ z * x, tau2 = 0.01, test = "z")
cat(sprintf("%-8s %.6f %.6f\n", rownames(fit$beta), fit$beta, fit$se), sep = "")
