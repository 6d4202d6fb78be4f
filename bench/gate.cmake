add_executable(gate ${CMAKE_CURRENT_LIST_DIR}/gate.cpp ${CMAKE_CURRENT_LIST_DIR}/gate_simulation.cpp)
target_link_libraries(gate PRIVATE valence_exam valence_warnings)
