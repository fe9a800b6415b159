# What an installation has: the shared library, its headers, the program, and what others need to
# find them: a CMake package (find_package(blo) gives blo::blo) and parblo.pc for pkg-config.
include(CMakePackageConfigHelpers)

install(TARGETS parblo_lib EXPORT blo-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/blo DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET parblo)
  file(RELATIVE_PATH to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(parblo PROPERTIES INSTALL_RPATH $ORIGIN/${to_lib})
  install(TARGETS parblo RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/blo)
install(EXPORT blo-targets NAMESPACE blo:: DESTINATION ${package_dir})
configure_package_config_file(cmake/blo-config.cmake.in ${CMAKE_BINARY_DIR}/blo-config.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/blo-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/blo-config.cmake ${CMAKE_BINARY_DIR}/blo-config-version.cmake
  DESTINATION ${package_dir})

file(RELATIVE_PATH BLO_PC_PREFIX
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/parblo.pc.in ${CMAKE_BINARY_DIR}/parblo.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/parblo.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
