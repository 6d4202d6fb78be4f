#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "valence/instruments/allocation.h"
#include "valence/instruments/instrument.h"

namespace valence {

/// One choice among three divisions, each told as a sentence: no slider, no line, no order.
struct AllocationTask {
  std::string id;
  std::vector<Allocation> options;
};

/// The tasks of data/instruments/allocations/items.csv: three divisions each, numbered 1 to 3. Errors name file and
/// line.
Result<std::vector<AllocationTask>> load_allocation_tasks();

/// Choices among three allocations: what a subject that learned to divide on sliders does where there is none.
std::unique_ptr<Instrument> make_allocations();

}  // namespace valence
