/** @file The umbrella header of ParBLO. */
#ifndef BLO_BLO_H
#define BLO_BLO_H

#include <blo/assemble.h>
#include <blo/base.h>
#include <blo/blas.h>
#include <blo/check.h>
#include <blo/checkpoint.h>
#include <blo/comm.h>
#include <blo/data.h>
#include <blo/dense.h>
#include <blo/eval.h>
#include <blo/hessian.h>
#include <blo/hypergrad.h>
#include <blo/linalg.h>
#include <blo/model.h>
#include <blo/network.h>
#include <blo/options.h>
#include <blo/plugin.h>
#include <blo/problem.h>
#include <blo/projection.h>
#include <blo/random.h>
#include <blo/run.h>
#include <blo/second_order.h>
#include <blo/solver.h>
#include <blo/state.h>
#include <blo/tracking.h>

#endif
