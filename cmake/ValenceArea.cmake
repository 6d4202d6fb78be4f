# valence_area(<name> SOURCES <file>... [USES <area>...] [PRIVATE <target>...] [PUBLIC <target>...])
# One static library per area. All areas share one precompiled header (standard library, fmt, expected, JSON).
function(valence_area name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;PRIVATE;PUBLIC" ${ARGN})
  add_library(valence_${name} STATIC ${ARG_SOURCES})
  target_include_directories(valence_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include)
  list(TRANSFORM ARG_USES PREPEND valence_ OUTPUT_VARIABLE used)
  target_link_libraries(valence_${name} PUBLIC ${used} ${ARG_PUBLIC} PRIVATE valence_warnings ${ARG_PRIVATE})
  valence_precompile(valence_${name})
endfunction()

# The precompiled header has a target of its own, whose flags every area shares.
function(valence_precompile target)
  if(NOT TARGET valence_pch)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/valence_pch.cpp CONTENT "// carries the precompiled header\n")
    add_library(valence_pch OBJECT ${CMAKE_BINARY_DIR}/valence_pch.cpp)
    target_link_libraries(valence_pch PRIVATE valence_warnings fmt::fmt tl::expected nlohmann_json::nlohmann_json)
    target_precompile_headers(valence_pch PRIVATE <algorithm> <filesystem> <functional> <map> <memory> <span> <string>
      <string_view> <variant> <vector> <fmt/format.h> <nlohmann/json.hpp> <tl/expected.hpp>)
  endif()
  target_precompile_headers(${target} REUSE_FROM valence_pch)
endfunction()

# valence_tests(<area> SOURCES <file>... [LINK <target>...] [LABELS <label>...] [OPTIMISE])
# One test binary per area; LABELS default to "fast".
function(valence_tests name)
  cmake_parse_arguments(ARG "OPTIMISE" "" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS fast)
  endif()
  add_executable(${name}_tests ${ARG_SOURCES})
  target_include_directories(${name}_tests PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name}_tests PRIVATE ${ARG_LINK} valence_warnings GTest::gtest GTest::gmock GTest::gtest_main)
  if(CMAKE_CXX_FLAGS MATCHES "fsanitize=thread")
    target_sources(${name}_tests PRIVATE ${CMAKE_SOURCE_DIR}/tests/support/tsan_suppressions.cpp)
  endif()
  # The tests' own code is compiled without optimisation, which halves its time; simulations ask for it with OPTIMISE.
  if(NOT ARG_OPTIMISE AND CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${name}_tests PRIVATE -O0)
  endif()
  target_precompile_headers(${name}_tests PRIVATE <gtest/gtest.h> <gmock/gmock.h> <fmt/format.h> <nlohmann/json.hpp> <tl/expected.hpp>)
  gtest_discover_tests(${name}_tests DISCOVERY_TIMEOUT 60 PROPERTIES LABELS "${ARG_LABELS}"
    ENVIRONMENT "VALENCE_DATA=${CMAKE_SOURCE_DIR}/data")
endfunction()
