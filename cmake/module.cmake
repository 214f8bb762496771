# spanker_module(NAME USES other... SOURCES file... HEADERS file... TESTS file... FUZZERS file... LIBRARIES target... [COMPUTING_TESTS])
#
# One folder of the pipeline as one static library, spanker_NAME (spanker::NAME). COMPUTING_TESTS: its tests compute long
# enough to be worth optimising.
#
# Includes are spelled "spanker/NAME/file.hpp". Each module is given an include root of its own that
# holds nothing but a link to its folder, and sees only the roots of the modules that it uses (and those
# that they use). So the compiler itself refuses an include that was not declared here.
# Cycles cannot be written: a module may only use modules that were added before it.
function(spanker_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "COMPUTING_TESTS" "" "USES;SOURCES;HEADERS;TESTS;FUZZERS;LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "spanker_module(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  foreach(used IN LISTS arg_USES)
    if(NOT TARGET spanker_${used})
      message(FATAL_ERROR "module ${name} uses ${used}, which is not above it in the pipeline (CMakeLists.txt)")
    endif()
  endforeach()
  _spanker_refuse_relative_includes(${arg_SOURCES} ${arg_HEADERS} ${arg_TESTS} ${arg_FUZZERS})

  set(root ${PROJECT_BINARY_DIR}/include_roots/${name})
  file(MAKE_DIRECTORY ${root}/spanker)
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/spanker/${name} SYMBOLIC)

  add_library(spanker_${name} STATIC ${arg_SOURCES})
  add_library(spanker::${name} ALIAS spanker_${name})
  set_target_properties(spanker_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(spanker_${name} PUBLIC
    $<BUILD_INTERFACE:${root}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(spanker_${name} PUBLIC cxx_std_20)
  list(TRANSFORM arg_USES PREPEND spanker_ OUTPUT_VARIABLE used_targets)
  target_link_libraries(spanker_${name} PUBLIC ${used_targets} PRIVATE ${arg_LIBRARIES})
  spanker_warnings(spanker_${name})
  set_property(GLOBAL APPEND PROPERTY SPANKER_MODULES ${name})
  set_property(GLOBAL APPEND PROPERTY SPANKER_PUBLIC_HEADERS_${name} ${arg_HEADERS})

  if(SPANKER_DEVELOPER)
    _spanker_headers_compile_alone(${name} ${arg_HEADERS})
  endif()
  if(SPANKER_TESTS AND arg_TESTS)
    add_executable(test_${name} ${arg_TESTS})
    target_link_libraries(test_${name} PRIVATE spanker_${name} ${arg_LIBRARIES} GTest::gtest_main)
    set(level -O0)
    if(arg_COMPUTING_TESTS)
      set(level -O1)
    endif()
    _spanker_quick_to_compile(test_${name} ${level})
    gtest_discover_tests(test_${name} TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 600)
  endif()
  if(SPANKER_FUZZ)
    foreach(fuzzer IN LISTS arg_FUZZERS)
      get_filename_component(stem ${fuzzer} NAME_WE)
      add_executable(${stem} ${fuzzer})
      target_link_libraries(${stem} PRIVATE spanker_${name})
      target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
      spanker_warnings(${stem})
      set_target_properties(${stem} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzzers)
      add_dependencies(fuzzers ${stem})
      # A program that writes the inputs to start from, where they are not files already.
      if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${stem}_seeds.cpp)
        add_executable(${stem}_seeds ${stem}_seeds.cpp)
        target_link_libraries(${stem}_seeds PRIVATE spanker_${name})
        spanker_warnings(${stem}_seeds)
        set_target_properties(${stem}_seeds PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz_seeds)
        add_dependencies(fuzzers ${stem}_seeds)
      endif()
    endforeach()
  endif()
endfunction()

# spanker_loaded_library(MODULE NAME SOURCES file... LOADER file LIBRARIES target...)
#
# A part of a module that the program loads only where it is needed, as lib/spanker/NAME.so below the build tree as below
# the prefix of an installation. LOADER, a source of the module, gets these paths as SPANKER_NAME and
# SPANKER_INSTALLED_NAME (in capitals). The library sees the module's headers and links none of its code.
function(spanker_loaded_library module name)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "LOADER" "SOURCES;LIBRARIES")
  set(path ${CMAKE_INSTALL_LIBDIR}/spanker/${name}.so)
  add_library(spanker_${name} MODULE ${arg_SOURCES})
  set_target_properties(spanker_${name} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${CMAKE_INSTALL_LIBDIR}/spanker)
  target_include_directories(spanker_${name} PRIVATE $<TARGET_PROPERTY:spanker_${module},INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_features(spanker_${name} PRIVATE cxx_std_20)
  target_link_libraries(spanker_${name} PRIVATE ${arg_LIBRARIES})
  spanker_warnings(spanker_${name})
  string(TOUPPER ${name} macro)
  set_property(SOURCE ${arg_LOADER} APPEND PROPERTY COMPILE_DEFINITIONS
    SPANKER_${macro}="${path}" SPANKER_INSTALLED_${macro}="${CMAKE_INSTALL_PREFIX}/${path}")
  add_dependencies(spanker_${module} spanker_${name})
  set_property(GLOBAL PROPERTY SPANKER_${macro} ${path})
  install(TARGETS spanker_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/spanker)
endfunction()

# Tests are most of the build, and most of them spend little time of their own: this takes the time that they take to
# compile to less than half. The headers that they all include are compiled once for each level of optimisation.
function(_spanker_quick_to_compile target level)
  set(compiled_headers spanker_test_headers${level})
  if(NOT TARGET ${compiled_headers})
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/test_headers.cpp CONTENT "")
    add_library(${compiled_headers} OBJECT ${PROJECT_BINARY_DIR}/test_headers.cpp)
    target_precompile_headers(${compiled_headers} PRIVATE <gtest/gtest.h> <rapidcheck/gtest.h> <nlohmann/json.hpp> <fmt/format.h>)
    _spanker_options_of_tests(${compiled_headers} ${level})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${compiled_headers})
  _spanker_options_of_tests(${target} ${level})
endfunction()

function(_spanker_options_of_tests target level)
  target_link_libraries(${target} PRIVATE GTest::gtest rapidcheck nlohmann_json::nlohmann_json fmt::fmt)
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_compile_definitions(${target} PRIVATE SPANKER_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_compile_options(${target} PRIVATE ${level} -g0)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # At these levels g++ 12 sees overflows where there are none.
    target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-stringop-overflow)
  endif()
  spanker_warnings(${target})
endfunction()

function(spanker_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion)
  if(SPANKER_DEVELOPER)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# Spelled in any other way ("../plan/search.hpp", "spanker/cost/../plan/search.hpp") an include would reach around
# the include roots.
function(_spanker_refuse_relative_includes)
  file(GLOB headers RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} CONFIGURE_DEPENDS *.hpp)  # the private ones too
  foreach(file IN LISTS headers ARGN)
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
      continue()  # generated
    endif()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(STRINGS ${file} bad REGEX "^[ \t]*#[ \t]*include[ \t]*\"")
    list(FILTER bad EXCLUDE REGEX "\"spanker/")
    file(STRINGS ${file} roundabout REGEX "^[ \t]*#[ \t]*include.*[\"</]\\.\\.?/")
    list(APPEND bad ${roundabout})
    if(bad)
      message(FATAL_ERROR "${CMAKE_CURRENT_SOURCE_DIR}/${file}: an include of ours is spelled \"spanker/module/file.hpp\", got: ${bad}")
    endif()
  endforeach()
endfunction()

# A header whose own source includes it before all else compiles alone whenever that does; the others get a source that
# does no more.
function(_spanker_headers_compile_alone name)
  set(checks)
  get_target_property(sources spanker_${name} SOURCES)
  foreach(header IN LISTS ARGN)
    string(REGEX REPLACE "\\.hpp$" ".cpp" own ${header})
    if(own IN_LIST sources)
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${own})
      file(STRINGS ${own} first REGEX "^[ \t]*#[ \t]*include" LIMIT_COUNT 1)
      if(first STREQUAL "#include \"spanker/${name}/${header}\"")
        continue()
      endif()
    endif()
    string(REGEX REPLACE "[/.]" "_" stem ${header})
    set(check ${CMAKE_CURRENT_BINARY_DIR}/header_checks/${stem}.cpp)
    file(CONFIGURE OUTPUT ${check} CONTENT "#include \"spanker/${name}/${header}\"\n")
    list(APPEND checks ${check})
  endforeach()
  if(checks)
    add_library(header_check_${name} OBJECT ${checks})
    target_link_libraries(header_check_${name} PRIVATE spanker_${name})
    spanker_warnings(header_check_${name})
  endif()
endfunction()
