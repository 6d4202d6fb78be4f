add_executable(gate ${CMAKE_CURRENT_LIST_DIR}/gate.cpp ${CMAKE_CURRENT_LIST_DIR}/gate_instruments.cpp
  ${CMAKE_CURRENT_LIST_DIR}/gate_simulation.cpp)
target_link_libraries(gate PRIVATE valence_instruments valence_warnings CLI11::CLI11)
