#include "gate_simulation.h"

#include <algorithm>
#include <set>

namespace valence::gate {
namespace {

constexpr std::size_t kUnits = 30;
constexpr std::size_t kItems = 6;
constexpr double kLapse = 0.2;

using Shares = std::vector<double>;

Shares all_on(std::size_t place, std::size_t options) {
  Shares shares(options, 0.0);
  shares[place] = 1.0;
  return shares;
}

Shares even(std::size_t options) { return Shares(options, 1.0 / static_cast<double>(options)); }

/// share·first + (1 − share)·second.
Shares mixed(double share, const Shares& first, const Shares& second) {
  Shares out;
  for (std::size_t i = 0; i < first.size(); ++i) out.push_back(share * first[i] + (1.0 - share) * second[i]);
  return out;
}

Shares first_place(double share, std::size_t options) {
  Shares shares(options, (1.0 - share) / static_cast<double>(options - 1));
  shares.front() = share;
  return shares;
}

AnswerRow row_of(Shares by_place, std::vector<std::size_t> place, AnswerFormat format) {
  AnswerRow row;
  row.format = format;
  row.place = std::move(place);
  for (const auto at : row.place) row.probability.push_back(by_place[at]);
  return row;
}

/// The same question answered in sampled text.
AnswerRow sampled(AnswerRow row, RandomStream& stream) {
  Shares shares(row.probability.size(), 0.0);
  for (std::size_t i = 0; i < kAgreementDraws; ++i) {
    shares[stream.categorical(row.probability)] += 1.0 / static_cast<double>(kAgreementDraws);
  }
  row.probability = std::move(shares);
  row.condition = kAgreementCondition;
  row.route = Route::kSampled;
  row.draws = kAgreementDraws;
  return row;
}

void add_probes(AnswerTable& table, const SimulatedSubject& subject, const std::vector<ProbeQuestion>& probes,
                AnswerFormat format, const RandomStream& stream) {
  const auto chosen = stream.substream("compared").sample(probes.size(), ProbeForm{}.agreement);
  const std::set<std::size_t> compared(chosen.begin(), chosen.end());
  for (std::size_t i = 0; i < probes.size(); ++i) {
    auto draw = stream.substream("probe", i);
    const auto& probe = probes[i];
    auto row = row_of(subject.rule(probe.place.front(), probe.options.size(), draw), probe.place, format);
    row.item = probe.item;
    row.unit = probe.block;
    row.variant = probe.wording;
    row.condition = kProbeCondition;
    if (compared.contains(i)) table.probes.push_back(sampled(row, draw));
    table.probes.push_back(std::move(row));
  }
}

void add_rows(AnswerTable& table, const SimulatedSubject& subject, std::size_t options, AnswerFormat format,
              const RandomStream& stream) {
  for (std::size_t unit = 0; unit < kUnits; ++unit) {
    for (std::size_t item = 0; item < kItems; ++item) {
      auto draw = stream.substream("row", unit * kItems + item);
      const auto choice = stream.substream("type", item).below(options);  // of the type, in the item's own order
      for (const bool reversed : {false, true}) {
        std::vector<std::size_t> place(options);
        for (std::size_t i = 0; i < options; ++i) place[i] = reversed ? options - 1 - i : i;
        auto row = row_of(subject.rule(place[choice], options, draw), place, format);
        row.unit = fmt::format("unit {}", unit);
        row.item = fmt::format("item {}", item);
        row.layout = reversed ? "reversed" : "paper";
        table.rows.push_back(std::move(row));
      }
    }
  }
}

}  // namespace

std::vector<SimulatedSubject> simulated_subjects() {
  using Place = std::size_t;
  return {
      {"always \"A\"", false, true, [](Place, Place n, RandomStream&) { return all_on(0, n); }},
      {"uniform", false, true, [](Place, Place n, RandomStream&) { return even(n); }},
      {"uniform with noise (Dirichlet, 2 per option)", false, true,
       [](Place, Place n, RandomStream& stream) { return stream.dirichlet(Shares(n, 2.0)); }},
      {"certain at random", false, true,
       [](Place, Place n, RandomStream& stream) { return all_on(stream.below(n), n); }},
      {"first place with .95", false, true, [](Place, Place n, RandomStream&) { return first_place(0.95, n); }},
      {"first place .7, content .3", false, true,
       [](Place right, Place n, RandomStream&) { return mixed(0.7, all_on(0, n), all_on(right, n)); }},
      {"first place .5, content .5", false, false,
       [](Place right, Place n, RandomStream&) { return mixed(0.5, all_on(0, n), all_on(right, n)); }},
      {"content, 50 % uniform", false, false,
       [](Place right, Place n, RandomStream&) { return mixed(0.5, even(n), all_on(right, n)); }},
      {"content, 20 % lapses in every answer", true, true,
       [](Place right, Place n, RandomStream&) { return mixed(kLapse, even(n), all_on(right, n)); }},
      {"content, lapses on 20 % of questions", true, true,
       [](Place right, Place n, RandomStream& stream) {
         return stream.uniform() < kLapse ? all_on(stream.below(n), n) : all_on(right, n);
       }},
      {"content, 20 % lapses to the first place", true, true,
       [](Place right, Place n, RandomStream&) { return mixed(kLapse, all_on(0, n), all_on(right, n)); }},
  };
}

AnswerTable administer(const SimulatedSubject& subject, const std::vector<ProbeQuestion>& probes, AnswerFormat format,
                       std::uint64_t seed) {
  const RandomStream stream(seed, "gate simulation");
  AnswerTable table;
  add_probes(table, subject, probes, format, stream);
  add_rows(table, subject, probes.front().options.size(), format, stream);
  return table;
}

}  // namespace valence::gate
