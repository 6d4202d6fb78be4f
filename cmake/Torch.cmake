# Target Torch::Torch: libtorch 1.13 (Debian) or newer; point Torch_DIR at another one, for example with CUDA.
find_package(Torch QUIET)
if(NOT Torch_FOUND)
  message(FATAL_ERROR "libtorch was not found, which VALENCE_TRAINING=ON needs. Run ./scripts/setup --for test, install it (Debian: apt-get install libtorch-dev libgloo-dev libopenblas0-openmp), set Torch_DIR to its share/cmake/Torch, or configure with VALENCE_TRAINING=OFF")
endif()
if(Torch_VERSION AND Torch_VERSION VERSION_LESS 1.13)
  message(FATAL_ERROR "libtorch ${Torch_VERSION} is too old: 1.13 at least. Set Torch_DIR to a newer one's share/cmake/Torch")
endif()
find_path(GLOO_INCLUDE_DIR gloo/context.h HINTS ${TORCH_INCLUDE_DIRS})
if(NOT GLOO_INCLUDE_DIR)
  message(FATAL_ERROR "Gloo's headers were not found, which training on several machines needs: run ./scripts/setup --for test, install them (Debian: apt-get install libgloo-dev) or set GLOO_INCLUDE_DIR")
endif()
add_library(valence_torch INTERFACE)
add_library(Torch::Torch ALIAS valence_torch)
target_link_libraries(valence_torch INTERFACE ${TORCH_LIBRARIES})
# libtorch 2 brings headers of its own fmt, whose functions it does not export: ours are found before them. /usr/include itself
# can stand nowhere but last, hence the link.
get_target_property(valence_fmt_headers fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/headers)
file(CREATE_LINK ${valence_fmt_headers}/fmt ${CMAKE_BINARY_DIR}/headers/fmt SYMBOLIC)
target_include_directories(valence_torch SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/headers ${TORCH_INCLUDE_DIRS} ${GLOO_INCLUDE_DIR})

# One inclusion of torch/torch.h takes 15 s: the trainer's sources and tests share one precompiled header, so they must
# be compiled with the same flags.
function(valence_precompile_torch target)
  if(NOT TARGET valence_torch_pch)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/valence_torch_pch.cpp CONTENT "// carries the precompiled header\n")
    add_library(valence_torch_pch OBJECT ${CMAKE_BINARY_DIR}/valence_torch_pch.cpp)
    target_link_libraries(valence_torch_pch PRIVATE valence_warnings Torch::Torch fmt::fmt tl::expected nlohmann_json::nlohmann_json)
    target_precompile_headers(valence_torch_pch PRIVATE <torch/torch.h> <algorithm> <filesystem> <map> <memory> <span> <string>
      <string_view> <vector> <fmt/format.h> <nlohmann/json.hpp> <tl/expected.hpp>)
  endif()
  target_precompile_headers(${target} REUSE_FROM valence_torch_pch)
endfunction()

# The shared precompiled header is compiled position-independent, as libraries are; so are the tests that use it.
function(valence_precompile_torch_tests target)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${target} PRIVATE -fPIC)
  valence_precompile_torch(${target})
endfunction()
