// What the units of a layout cost, and what identifies them.
#include <algorithm>

#include "llama_plan.h"

namespace valence {

std::size_t ScoreLayout::cells(const TreeGroup& decode) const {
  std::size_t sum = 0;
  for (const auto* list : {&decode.spine, &decode.body}) {
    for (const auto segment : *list) sum += tree.segments[segment].tokens.size();
  }
  return sum;
}

std::vector<std::size_t> unit_costs(const ScoreLayout& layout) {
  std::vector<std::size_t> costs;
  std::vector<bool> seen(layout.tree.segments.size(), false);
  for (const auto& unit : layout.units) {
    std::size_t cost = 0;
    for (auto i = unit.first_decode; i < unit.decode_end; ++i) {
      for (const auto* list : {&layout.decodes[i].spine, &layout.decodes[i].body}) {
        for (const auto segment : *list) {
          if (!seen[segment]) cost += layout.tree.segments[segment].tokens.size();
          seen[segment] = true;
        }
      }
    }
    costs.push_back(cost);
  }
  return costs;
}

void add_to_digest(Hasher& hasher, const ScoreLayout& layout, const ScoreUnit& unit) {
  const auto add_segment = [&](std::size_t index, std::size_t base) {
    const auto& segment = layout.tree.segments[index];
    hasher.add(std::uint64_t{segment.begin}).add(segment.tokens);
    hasher.add(std::uint64_t{segment.first_leaf - std::min(base, segment.first_leaf)});
    hasher.add(std::uint64_t{segment.leaf_end - segment.first_leaf});
  };
  for (auto i = unit.first_decode; i < unit.decode_end; ++i) {
    const auto& decode = layout.decodes[i];
    hasher.add(std::uint64_t{decode.spine.size()}).add(std::uint64_t{decode.body.size()});
    for (const auto segment : decode.spine) hasher.add(layout.tree.segments[segment].tokens);
    for (const auto segment : decode.body) add_segment(segment, decode.first_leaf);
    for (const auto segment : decode.body) {
      for (const auto row : layout.tree.segments[segment].rows) hasher.add(std::uint64_t{row});
    }
  }
  for (const auto score : unit.scores) {
    for (const auto& place : layout.places[score]) {
      hasher.add(std::uint64_t{place.tokens}).add(std::uint64_t{place.terminator});
      for (auto i = place.first; i < place.first + place.tokens + place.terminator; ++i) {
        const auto& read = layout.reads[i];
        hasher.add(std::uint64_t{layout.tree.segments[read.segment].begin + read.offset});
        hasher.add(std::uint64_t(static_cast<std::uint32_t>(read.token)));
      }
    }
  }
}

}  // namespace valence
