# cmake -DBUILD=... -DSOURCE=... -DWORK=... -DGENERATOR=... -DCXX=... -DBUILD_TYPE=... -DFLOW_SIMULATOR=... -P package.cmake
#
# Installs the build into a prefix of its own, then builds and runs tests/package against nothing but that prefix,
# with the example of the umbrella header's comment as its second program.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ECHO STDOUT RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "exit code ${status}: ${command}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
set(prefix ${WORK}/prefix)
set(consumer ${WORK}/consumer)
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})

if(FLOW_SIMULATOR AND NOT EXISTS ${prefix}/${FLOW_SIMULATOR})
  message(FATAL_ERROR "${FLOW_SIMULATOR} is not installed")
endif()

# A public header may include public headers, the standard library and, in base/result.hpp, tl/expected.hpp.
file(GLOB_RECURSE headers RELATIVE ${prefix}/include ${prefix}/include/spanker/*.hpp)
if(NOT "spanker/spanker.hpp" IN_LIST headers)
  message(FATAL_ERROR "the umbrella header is not installed")
endif()
foreach(header IN LISTS headers)
  file(STRINGS ${prefix}/include/${header} includes REGEX "^#include ")
  foreach(include IN LISTS includes)
    string(REGEX REPLACE "^#include [\"<]([^\">]*)[\">].*" "\\1" included ${include})
    if(included IN_LIST headers OR included MATCHES "^[a-z_]+$")
      continue()
    elseif(header STREQUAL "spanker/base/result.hpp" AND included STREQUAL "tl/expected.hpp")
      continue()
    endif()
    message(FATAL_ERROR "${header} is public, but includes ${included}, which is neither public nor standard")
  endforeach()
endforeach()

file(READ ${prefix}/include/spanker/spanker.hpp umbrella)
if(NOT umbrella MATCHES "\n/// ```cpp\n(.*)\n/// ```\n")
  message(FATAL_ERROR "no example between ```cpp and ``` in spanker/spanker.hpp")
endif()
string(REGEX REPLACE "(^|\n)/// ?" "\\1" example "${CMAKE_MATCH_1}")
file(WRITE ${consumer}/example.cpp "${example}\n")

run(${CMAKE_COMMAND} -S ${SOURCE}/tests/package -B ${consumer} -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${CXX}
  -DCMAKE_BUILD_TYPE=${BUILD_TYPE} -DCMAKE_PREFIX_PATH=${prefix})
run(${CMAKE_COMMAND} --build ${consumer})
run(${consumer}/consumer)
run(${consumer}/example)
run(${prefix}/bin/spanker profile list)
