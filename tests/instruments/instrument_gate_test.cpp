#include <gtest/gtest.h>

#include "../../bench/gate_instruments.h"

namespace valence {
namespace {

/// At most 5 % of subjects without content pass, at least 80 % of true ones with lapses do.
TEST(InstrumentGate, TellsSimulatedSubjectsApart) {
  const auto bound = gate::print_instrument_rates(200);
  ASSERT_TRUE(bound) << bound.error().message;
  EXPECT_TRUE(*bound) << "a line above is out of bounds";
}

}  // namespace
}  // namespace valence
