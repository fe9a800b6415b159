# The libraries that ParBLO stands on, as the one interface target blo_deps.
find_package(MPI 3.1 REQUIRED COMPONENTS C)

find_package(PkgConfig REQUIRED)

# Parallel HDF5: as Debian's pkg-config file says, else by FindHDF5. The latter runs h5pcc, which
# fails in a build folder with a space in its name, and takes the serial h5cc unless told not to.
pkg_check_modules(HDF5_MPI QUIET hdf5-openmpi>=1.10)
if(HDF5_MPI_FOUND)
  find_library(HDF5_LIB hdf5 HINTS ${HDF5_MPI_LIBRARY_DIRS} REQUIRED)
  find_library(HDF5_HL_LIB hdf5_hl HINTS ${HDF5_MPI_LIBRARY_DIRS} REQUIRED)
  set(HDF5_C_INCLUDE_DIRS ${HDF5_MPI_INCLUDE_DIRS})
  set(HDF5_C_LIBRARIES ${HDF5_HL_LIB} ${HDF5_LIB})
else()
  set(HDF5_PREFER_PARALLEL TRUE)
  find_package(HDF5 1.10 REQUIRED COMPONENTS C HL)
  if(NOT HDF5_IS_PARALLEL)
    message(FATAL_ERROR "serial HDF5 found; install libhdf5-openmpi-dev")
  endif()
  list(PREPEND HDF5_C_LIBRARIES ${HDF5_C_HL_LIBRARIES})
endif()

# OpenBLAS by name (not libblas/liblapack): its symbols then come before those of the alternatives,
# so ScaLAPACK's dgemm_ is the same one whatever libblas.so.3 points to.
find_package(OpenBLAS CONFIG REQUIRED)

# Debian's scalapack-config.cmake has a wrong prefix, so the library is found by name.
find_library(SCALAPACK_LIB NAMES scalapack-openmpi scalapack REQUIRED)

# ELPA, if it is there, for eigenvalues on many ranks. Only the library itself is named, after
# OpenBLAS, so that it takes its BLAS and LAPACK from there, as ScaLAPACK does.
option(BLO_ELPA "Use ELPA for eigenvalues if pkg-config finds it" ON)
set(ELPA_LIB "")
if(BLO_ELPA)
  pkg_check_modules(ELPA QUIET elpa>=2020)
  if(ELPA_FOUND)
    find_library(ELPA_LIBRARY elpa HINTS ${ELPA_LIBRARY_DIRS} REQUIRED)
    set(ELPA_LIB ${ELPA_LIBRARY})
  endif()
endif()

pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
find_package(ZLIB REQUIRED)
find_path(RANDOM123_INCLUDE_DIR NAMES Random123/philox.h REQUIRED)

add_library(blo_deps INTERFACE)
target_include_directories(blo_deps SYSTEM INTERFACE
  ${HDF5_C_INCLUDE_DIRS} ${OpenBLAS_INCLUDE_DIRS} ${RANDOM123_INCLUDE_DIR})
target_link_libraries(blo_deps INTERFACE
  MPI::MPI_C ${SCALAPACK_LIB} ${OpenBLAS_LIBRARIES} ${HDF5_C_LIBRARIES}
  PkgConfig::YAML ZLIB::ZLIB m ${CMAKE_DL_LIBS})
if(ELPA_LIB)
  target_compile_definitions(blo_deps INTERFACE BLO_HAVE_ELPA)
  target_include_directories(blo_deps SYSTEM INTERFACE ${ELPA_INCLUDE_DIRS})
  target_link_libraries(blo_deps INTERFACE ${ELPA_LIB})
endif()

# Bits must not depend on the optimizer's mood: fused multiply-adds only where the code writes them.
add_library(blo_flags INTERFACE)
target_compile_options(blo_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wvla -Wdouble-promotion
  -ffp-contract=off -fno-math-errno
  $<$<BOOL:${BLO_WERROR}>:-Werror>)
target_compile_definitions(blo_flags INTERFACE _POSIX_C_SOURCE=200809L)
if(BLO_SANITIZE)
  target_compile_options(blo_flags INTERFACE -fsanitize=${BLO_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(blo_flags INTERFACE -fsanitize=${BLO_SANITIZE})
endif()
