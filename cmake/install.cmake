# What `cmake --install` puts in place: the command line program, and the library modules with their public headers as a
# package: find_package(spanker 0.1 REQUIRED), target_link_libraries(program spanker::spanker),
# #include <spanker/spanker.hpp>.
include(CMakePackageConfigHelpers)

# Every module is the library's but those that only the command line program uses.
get_property(library_modules GLOBAL PROPERTY SPANKER_MODULES)
list(REMOVE_ITEM library_modules report cli)
list(TRANSFORM library_modules PREPEND spanker_ OUTPUT_VARIABLE library_targets)

# All of the library, for programs; within the build as after find_package. The name spanker_spanker leaves `spanker` to
# the program. Its include root holds the umbrella header and no module.
set(umbrella_root ${PROJECT_BINARY_DIR}/include_roots/umbrella)
file(MAKE_DIRECTORY ${umbrella_root}/spanker)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/spanker/spanker.hpp ${umbrella_root}/spanker/spanker.hpp SYMBOLIC)
add_library(spanker_spanker INTERFACE)
add_library(spanker::spanker ALIAS spanker_spanker)
set_target_properties(spanker_spanker PROPERTIES EXPORT_NAME spanker)
target_include_directories(spanker_spanker INTERFACE
  $<BUILD_INTERFACE:${umbrella_root}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(spanker_spanker INTERFACE ${library_targets})

install(TARGETS spanker RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS spanker_spanker ${library_targets} EXPORT spanker_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${PROJECT_SOURCE_DIR}/spanker/spanker.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/spanker)
foreach(module IN LISTS library_modules)
  get_property(headers GLOBAL PROPERTY SPANKER_PUBLIC_HEADERS_${module})
  list(TRANSFORM headers PREPEND ${PROJECT_SOURCE_DIR}/spanker/${module}/)
  install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/spanker/${module})
endforeach()

set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/spanker)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/spankerConfig.cmake.in
  ${PROJECT_BINARY_DIR}/spankerConfig.cmake
  INSTALL_DESTINATION ${package_directory} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a new minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/spankerConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT spanker_targets NAMESPACE spanker:: FILE spankerTargets.cmake DESTINATION ${package_directory})
install(FILES ${PROJECT_BINARY_DIR}/spankerConfig.cmake ${PROJECT_BINARY_DIR}/spankerConfigVersion.cmake
  DESTINATION ${package_directory})
