# The kernel families are one template compiled with other flags. They are always optimized: their
# unrolled loops are useless otherwise. Flags that the compiler or processor does not know are left
# out, and the family with them.
include(CheckCCompilerFlag)
check_c_compiler_flag("-mavx2 -mfma" BLO_HAS_AVX2)
check_c_compiler_flag("-mavx512f -mavx512dq -mavx512vl" BLO_HAS_AVX512)

set(kernel_dir ${CMAKE_SOURCE_DIR}/src/data)
set_source_files_properties(${kernel_dir}/kernel_plain.c PROPERTIES COMPILE_OPTIONS "-O3")
set(kernel_avx2_options -O3)
if(BLO_HAS_AVX2)
  list(APPEND kernel_avx2_options -mavx2 -mfma)
endif()
set_source_files_properties(${kernel_dir}/kernel_avx2.c
  PROPERTIES COMPILE_OPTIONS "${kernel_avx2_options}")
set(kernel_avx512_options -O3)
if(BLO_HAS_AVX512)
  list(APPEND kernel_avx512_options -mavx2 -mfma -mavx512f -mavx512dq -mavx512vl)
endif()
set_source_files_properties(${kernel_dir}/kernel_avx512.c
  PROPERTIES COMPILE_OPTIONS "${kernel_avx512_options}")
