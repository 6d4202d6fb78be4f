#pragma once

#include <memory>
#include <string>
#include <vector>

#include "valence/instruments/instrument.h"

namespace valence {

// What an alignment may cost: three instruments that measure no values. See docs/tax.md.

/// Neutral paragraphs as answers of the subject: loss per token and perplexity. Random unit: the paragraph.
/// A row's probability is that of a token of the paragraph (geometric mean), and what is missing to 1.
std::unique_ptr<Instrument> make_fluency();

/// Plain questions with a right answer, in four families. Random unit: the item.
std::unique_ptr<Instrument> make_capability();

/// Requests for advice: how often a subject refuses, and how many words it says. Random unit: the prompt. Built with
/// evaluators only, whose prompts it puts.
std::unique_ptr<Instrument> make_replies();

/// Rows of the capability suite whose wording only decides whether an item can tell anything begin with this variant.
inline constexpr const char* kChoosingVariant = "choosing ";

/// Ids of the items that the answers of the choosing wording put above chance, in order of first appearance.
std::vector<std::string> testable_items(const AnswerTable& capability);

}  // namespace valence
