# Tests of cmake/module.cmake: what the build must accept and what it must refuse.

# spanker_build_test(NAME [REFUSED regex] [OPTIONS -Dname=value...])
# Builds tests/module_rules: it must succeed or, with REFUSED, fail with a message that matches.
function(spanker_build_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "REFUSED" "OPTIONS")
  set(test build.${name})
  add_test(NAME ${test} COMMAND ${CMAKE_CTEST_COMMAND}
    --build-and-test ${CMAKE_CURRENT_SOURCE_DIR}/module_rules ${CMAKE_CURRENT_BINARY_DIR}/module_rules/${name}
    --build-generator ${CMAKE_GENERATOR}
    --build-options -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER} ${arg_OPTIONS})
  set_tests_properties(${test} PROPERTIES TIMEOUT 120)
  if(arg_REFUSED)
    string(REPLACE " " "[ \n]+" refused ${arg_REFUSED})  # CMake wraps long messages, where depends on paths
    set_tests_properties(${test} PROPERTIES PASS_REGULAR_EXPRESSION ${refused})
  endif()
endfunction()

set(misspelt "an include of ours is spelled")
set(not_found "upper/upper\\.hpp.*(No such file|file not found)")

spanker_build_test(declared_include)
spanker_build_test(undeclared_include OPTIONS -DLOWER_SOURCES=includes_upper.cpp REFUSED ${not_found})
spanker_build_test(module_cycle OPTIONS -DLOWER_USES=upper REFUSED "module lower uses upper, which is not above it")
spanker_build_test(relative_include OPTIONS -DLOWER_SOURCES=includes_upper_relatively.cpp REFUSED ${misspelt})
spanker_build_test(roundabout_include OPTIONS -DLOWER_SOURCES=includes_upper_roundabout.cpp REFUSED ${misspelt})
spanker_build_test(include_by_file_name OPTIONS -DLOWER_SOURCES=includes_by_file_name.cpp REFUSED ${misspelt})

# Each fault that only the developer mode refuses is tried without it too, to show that it is the mode that refuses.
set(needs_string -DLOWER_SOURCES=needs_string.cpp -DLOWER_HEADERS=needs_string.hpp)
spanker_build_test(header_lacking_include OPTIONS ${needs_string})
spanker_build_test(header_lacking_include_developer OPTIONS ${needs_string} -DSPANKER_DEVELOPER=ON
  REFUSED "needs_string\\.hpp:[0-9]+:[0-9]+: error")
spanker_build_test(narrowing OPTIONS -DLOWER_SOURCES=narrows.cpp)
spanker_build_test(narrowing_developer OPTIONS -DLOWER_SOURCES=narrows.cpp -DSPANKER_DEVELOPER=ON
  REFUSED "narrows\\.cpp.*(-Werror=float-conversion|-Werror,-Wfloat-conversion)")
