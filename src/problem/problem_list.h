/* The built-in problems, one line each: the name of the file and of its descriptor. */
BLO_PROBLEM(hyper_cleaning)
BLO_PROBLEM(ridge_logistic)
