# Language level, warnings and the tools that make builds quick where they are present.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(VALENCE_CCACHE ccache)
if(VALENCE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${VALENCE_CCACHE})
  # Without it ccache cannot see into g++'s precompiled headers (and needs sloppiness = pch_defines,time_macros).
  add_compile_options($<$<AND:$<CXX_COMPILER_ID:GNU>,$<COMPILE_LANGUAGE:CXX>>:-fpch-preprocess>)
endif()
find_program(VALENCE_MOLD mold)
if(VALENCE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

find_package(Threads REQUIRED)

# Warnings for our own targets only; third-party headers are SYSTEM.
add_library(valence_warnings INTERFACE)
target_compile_options(valence_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
# g++ 12 sees overlapping and overflowing copies in std::string where there are none (GCC bugs 105651, 105329).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(valence_warnings INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds)
endif()
