/* The adjoint estimators, one line each: the name of the file and of its descriptor. */
BLO_ESTIMATOR(cg)
BLO_ESTIMATOR(neumann)
BLO_ESTIMATOR(direct)
