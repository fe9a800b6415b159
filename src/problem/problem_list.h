/* The built-in problems, one line each: the name of the file and of its descriptor. */
BLO_PROBLEM(hyper_cleaning)
BLO_PROBLEM(ridge_logistic)
BLO_PROBLEM(hyper_representation)
BLO_PROBLEM(few_shot)
BLO_PROBLEM(block_ridge)
