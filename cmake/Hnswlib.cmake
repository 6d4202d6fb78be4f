# Target hnswlib::hnswlib: the headers of hnswlib, which has no package config.
find_path(VALENCE_HNSWLIB_INCLUDE hnswlib/hnswlib.h)
if(NOT VALENCE_HNSWLIB_INCLUDE)
  message(FATAL_ERROR "hnswlib: hnswlib/hnswlib.h was not found. Run ./scripts/setup, or install it (Debian: apt-get install libhnswlib-dev)")
endif()
add_library(hnswlib INTERFACE)
add_library(hnswlib::hnswlib ALIAS hnswlib)
target_include_directories(hnswlib SYSTEM INTERFACE "${VALENCE_HNSWLIB_INCLUDE}")
