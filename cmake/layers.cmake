# One target per layer, in the order in which they may use each other (docs/layers.txt).
set(BLO_LAYERS base comm options linalg random data problem eval hypergrad solver checkpoint run)

set(blo_below "")
foreach(layer IN LISTS BLO_LAYERS)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${layer}/*.c)
  if(NOT sources)
    continue()
  endif()
  if(BLO_LAYER_LIBS)
    add_library(blo_${layer} SHARED ${sources})
    target_link_options(blo_${layer} PRIVATE -Wl,-z,defs)
  else()
    add_library(blo_${layer} OBJECT ${sources})
  endif()
  target_include_directories(blo_${layer}
    PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
    PRIVATE ${CMAKE_SOURCE_DIR}/src/${layer})
  target_link_libraries(blo_${layer} PRIVATE blo_flags PUBLIC blo_deps ${blo_below})
  if(BLO_LAYER_LIBS)
    list(PREPEND blo_below blo_${layer})
  endif()
  list(APPEND blo_built blo_${layer})
endforeach()

# libparblo: all layers in one library, under the name blo::blo.
if(BLO_LAYER_LIBS)
  add_library(parblo_lib INTERFACE)
  target_link_libraries(parblo_lib INTERFACE ${blo_below})
else()
  add_library(parblo_lib)
  foreach(target IN LISTS blo_built)
    target_sources(parblo_lib PRIVATE $<TARGET_OBJECTS:${target}>)
  endforeach()
  set_target_properties(parblo_lib PROPERTIES OUTPUT_NAME parblo VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR})
  target_include_directories(parblo_lib PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(parblo_lib PUBLIC blo_deps)
  if(BLO_SANITIZE)
    target_link_options(parblo_lib PUBLIC -fsanitize=${BLO_SANITIZE})
  endif()
endif()
add_library(blo::blo ALIAS parblo_lib)
