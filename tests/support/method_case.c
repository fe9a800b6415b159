/* The cases of the methods, in the order of solver_list.h. */
#include "method_case.h"

#define BLO_SOLVER(name) extern const method_case method_case_##name;
#include "../../src/solver/solver_list.h"
#undef BLO_SOLVER

const method_case *const method_cases[] = {
#define BLO_SOLVER(name) &method_case_##name,
#include "../../src/solver/solver_list.h"
#undef BLO_SOLVER
    NULL};
