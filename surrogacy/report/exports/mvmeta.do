* needs mvmeta: ssc install mvmeta
import delimited using "@csv@", clear case(preserve) asdouble
mvmeta y S, vars(y1 y2) reml
