/* The methods, one line each: the name of the file and of its descriptor. */
BLO_SOLVER(aid)
BLO_SOLVER(stocbio)
BLO_SOLVER(soba)
