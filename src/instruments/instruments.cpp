#include "valence/base/text.h"
#include "valence/instruments/hvae.h"
#include "valence/instruments/instrument.h"
#include "valence/instruments/moralchoice.h"
#include "valence/instruments/questionnaire.h"
#include "valence/instruments/svo.h"

namespace valence {
namespace {

std::vector<std::unique_ptr<Instrument>> make_all() {
  std::vector<std::unique_ptr<Instrument>> all;
  all.push_back(make_svo());
  all.push_back(make_hvae());
  all.push_back(make_moralchoice());
  all.push_back(make_questionnaire());
  return all;
}

}  // namespace

AnswerTable Instrument::headline(const AnswerTable& table, const Settings&) const { return table; }

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
  const auto near = nearest(id, ids);
  return fail(ErrorCode::kUsage, "unknown instrument \"{}\"{} (valence instrument list)", id,
              near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near));
}

}  // namespace valence
