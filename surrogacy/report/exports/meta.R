library(meta)
dat <- read.csv("@csv@")
# one univariate meta-analysis per endpoint
for (endpoint in unique(dat$role)) {
  print(metagen(TE, seTE, studlab = studlab, data = dat[dat$role == endpoint, ], sm = "HR", method.tau = "REML"))
}
