# The git revision, for the provenance in run files: of the last configuration, which a commit
# triggers. Without git, or in an unpacked archive, the source says "unknown".
find_package(Git QUIET)
if(GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --short=12 HEAD
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE revision
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(revision)
    set_source_files_properties(${CMAKE_SOURCE_DIR}/src/run/provenance.c PROPERTIES
      COMPILE_DEFINITIONS "BLO_GIT_REVISION=\"${revision}\"")
  endif()
  if(EXISTS ${CMAKE_SOURCE_DIR}/.git/logs/HEAD)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/.git/logs/HEAD)
  endif()
endif()
