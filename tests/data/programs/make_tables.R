# Tables of R programs for tests/trials/test_program_tables.py: metafor 3.8-1, meta 5.0-1 and survival 3.5-3.
# revman_data_rows.csv has the columns of the data rows that RevMan Web exports; it was written by hand.
# Run in this folder: Rscript make_tables.R. The four trials are invented.
suppressMessages({
  library(metafor)
  library(meta)
  library(survival)
})

trials <- c("Alpha", "Beta", "Gamma", "Delta")
effects <- data.frame(
  study = rep(trials, 2),
  outcome = rep(c("PFS", "OS"), each = 4),
  hr = c(0.59, 0.76, 0.66, 0.80, 0.86, 0.90, 0.71, 1.04),
  se = c(0.19, 0.14, 0.11, 0.16, 0.18, 0.15, 0.13, 0.17)
)
effects$yi <- log(effects$hr)
effects$vi <- effects$se^2

# metafor: data, estimate, variance and the columns of summary()
escalc_of <- function(rows) {
  escalc(measure = "GEN", yi = yi, vi = vi, data = rows[c("study", "outcome", "yi", "vi")])
}
both <- escalc_of(effects)
write.csv(summary(both), "metafor_escalc.csv")
write.csv(summary(both, transf = exp), "metafor_escalc_exp.csv")
pfs <- escalc_of(effects[effects$outcome == "PFS", ])
write.csv(summary(pfs)[c("study", "yi", "vi", "sei", "zi", "pval", "ci.lb", "ci.ub")], "metafor_one_outcome.csv")

# metafor: coefficients of a model without intercept, one per trial and endpoint
fit <- rma(yi, vi, mods = ~ 0 + factor(paste(study, outcome)), data = both, method = "FE")
rows <- order(paste(both$study, both$outcome))
write.csv(cbind(both[rows, c("study", "outcome")], coef(summary(fit))), "metafor_coefficients.csv", row.names = FALSE)

# meta: TE, seTE, lower and upper are logarithms
meta_of <- function(endpoint) {
  rows <- effects[effects$outcome == endpoint, ]
  metagen(TE = yi, seTE = se, studlab = study, data = rows, sm = "HR")
}
frames <- lapply(c("PFS", "OS"), function(endpoint) cbind(outcome = endpoint, as.data.frame(meta_of(endpoint))))
write.csv(do.call(rbind, frames), "meta_metagen.csv", row.names = FALSE)
ratios <- lapply(c("PFS", "OS"), function(endpoint) {
  m <- meta_of(endpoint)
  data.frame(outcome = endpoint, studlab = m$studlab, HR = exp(m$TE), lower = exp(m$lower), upper = exp(m$upper))
})
write.csv(do.call(rbind, ratios), "meta_ratios.csv", row.names = FALSE)
exponents <- lapply(c("PFS", "OS"), function(endpoint) {
  m <- meta_of(endpoint)
  data.frame(outcome = endpoint, studlab = m$studlab, TE = exp(m$TE), lower = exp(m$lower), upper = exp(m$upper))
})
write.csv(do.call(rbind, exponents), "meta_exponents_as_te.csv", row.names = FALSE)

# survival: Cox models of the four trials
set.seed(1)
cox_of <- function(endpoint, hr) {
  treated <- rep(0:1, each = 150)
  time <- rexp(300, 0.1 * hr^treated)
  coxph(Surv(pmin(time, 20), time < 20) ~ treated)
}
fits <- Map(cox_of, effects$outcome, effects$hr)
names_of <- effects[c("study", "outcome")]
coefficients <- do.call(rbind, lapply(fits, function(m) coef(summary(m))))
intervals <- do.call(rbind, lapply(fits, confint))
ratio_limits <- do.call(rbind, lapply(fits, function(m) summary(m)$conf.int))
as_frame <- function(matrix, names = FALSE) data.frame(matrix, check.names = names, row.names = NULL)
write.csv(cbind(names_of, as_frame(coefficients), as_frame(intervals)), "survival_confint.csv", row.names = FALSE)
write.csv(cbind(names_of, as_frame(coefficients, TRUE), as_frame(intervals, TRUE)), "survival_data_frame.csv", row.names = FALSE)
write.csv(cbind(names_of, as_frame(ratio_limits)), "survival_conf_int.csv", row.names = FALSE)
write.csv(cbind(names_of, as_frame(ratio_limits, TRUE)), "survival_conf_int_data_frame.csv", row.names = FALSE)
