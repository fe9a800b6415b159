# One target per layer, in the order in which they may use each other.
file(STRINGS ${CMAKE_SOURCE_DIR}/docs/layers.txt BLO_LAYERS REGEX "^[a-z]+( mpi)?$")
list(TRANSFORM BLO_LAYERS REPLACE " .*" "")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/layers.txt)

set(blo_below "") # the layers so far, highest first
set(blo_objects "")
foreach(layer IN LISTS BLO_LAYERS)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${layer}/*.c)
  if(NOT sources)
    continue()
  endif()
  if(BLO_LAYER_LIBS)
    add_library(blo_${layer} SHARED ${sources})
    target_link_options(blo_${layer} PRIVATE -Wl,-z,defs)
    target_link_libraries(blo_${layer} PUBLIC ${blo_below})
    list(PREPEND blo_below blo_${layer})
  else()
    add_library(blo_${layer} OBJECT ${sources})
    list(APPEND blo_objects $<TARGET_OBJECTS:blo_${layer}>)
  endif()
  target_include_directories(blo_${layer}
    PUBLIC ${CMAKE_SOURCE_DIR}/include PRIVATE ${CMAKE_SOURCE_DIR}/src/${layer})
  target_link_libraries(blo_${layer} PRIVATE blo_flags blo_deps PUBLIC MPI::MPI_C)
endforeach()

# libparblo: all layers in one library, under the name blo::blo. Only MPI shows in its headers, so
# the other dependencies stay private.
if(BLO_LAYER_LIBS)
  add_library(parblo_lib INTERFACE)
  target_link_libraries(parblo_lib INTERFACE ${blo_below})
else()
  add_library(parblo_lib SHARED ${blo_objects})
  set_target_properties(parblo_lib PROPERTIES
    OUTPUT_NAME parblo EXPORT_NAME blo
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  if(NOT BLO_SANITIZE) # whose runtime is left undefined in shared libraries
    target_link_options(parblo_lib PRIVATE -Wl,-z,defs)
  endif()
  target_include_directories(parblo_lib PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(parblo_lib PUBLIC MPI::MPI_C
    PRIVATE $<BUILD_INTERFACE:blo_flags> $<BUILD_INTERFACE:blo_deps>)
endif()
add_library(blo::blo ALIAS parblo_lib)
