#include "valence/base/text.h"
#include "valence/instruments/allocations.h"
#include "valence/instruments/answer_key.h"
#include "valence/instruments/fulcra.h"
#include "valence/instruments/hvae.h"
#include "valence/instruments/instrument.h"
#include "valence/instruments/moralchoice.h"
#include "valence/instruments/opinions.h"
#include "valence/instruments/questionnaire.h"
#include "valence/instruments/side_effects.h"
#include "valence/instruments/svo.h"

namespace valence {
namespace {

std::vector<std::unique_ptr<Instrument>> make_all() {
  std::vector<std::unique_ptr<Instrument>> all;
  all.push_back(make_svo());
  all.push_back(make_hvae());
  all.push_back(make_allocations());
  all.push_back(make_moralchoice());
  all.push_back(make_questionnaire());
  all.push_back(make_opinions());
#ifdef VALENCE_EVALUATORS
  all.push_back(make_fulcra());
#endif
  all.push_back(make_fluency());
  all.push_back(make_capability());
#ifdef VALENCE_EVALUATORS
  all.push_back(make_replies());
#endif
  return all;
}

}  // namespace

AnswerTable Instrument::headline(const AnswerTable& table, const Settings&) const { return table; }

Validity Instrument::assess(const AnswerTable& table, const Settings& settings, const GateThresholds& thresholds) const {
  return valence::assess(headline(table, settings), thresholds);
}

Result<std::unique_ptr<Estimator>> Instrument::prepare_distances(const AnswerTable&, const Settings&,
                                                                 std::span<const double>) const {
  return std::unique_ptr<Estimator>();
}

Result<AnswerKey> Instrument::answer_key(const Target& target, const Settings&) const {
  VALENCE_CHECK(require_scores(target, card().id));
  return fail(
      ErrorCode::kUsage,
      "{} cannot answer for target {}: no score says how its questions should be answered. The questionnaire can "
      "(raw and centred scores), and svo, hvae and allocations can (a direction of the ring)",
      card().id, target.id);
}

const std::vector<std::unique_ptr<Instrument>>& instruments() {
  static const auto all = make_all();
  return all;
}

Result<const Instrument*> find_instrument(std::string_view id) {
  std::vector<std::string> ids;
  for (const auto& instrument : instruments()) {
    if (instrument->card().id == id) return instrument.get();
    ids.push_back(instrument->card().id);
  }
#ifndef VALENCE_EVALUATORS
  if (id == "fulcra" || id == "replies") {
    return fail(ErrorCode::kUsage,
                "{} comes with the evaluators, which this build leaves out; build the whole program: "
                "cmake --preset release && cmake --build --preset release",
                id);
  }
#endif
  const auto near = nearest(id, ids);
  return fail(ErrorCode::kUsage, "unknown instrument \"{}\"{} (valence instrument list)", id,
              near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near));
}

}  // namespace valence
